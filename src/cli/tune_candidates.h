// The ways to compute a model that `lacquer tune` tries: which file, in which arithmetic, with
// which of the processor's instructions.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

enum { LQ_TUNE_CANDIDATES_MAX = 24, LQ_TUNE_ISA_MAX = 24 };

struct lq_tune_candidate {
    bool floats;                  // the floating-point file of a network in two, not the int8 one
    enum lq_precision precision;
    char isa[LQ_TUNE_ISA_MAX];    // ONEDNN_MAX_CPU_ISA; "ALL": no cap; "": what the user has set
};

// What the processor offers, and the model.
struct lq_tune_case {
    bool ours;      // the default network
    bool pair;      // a network in two files, int8 and float, as ours is
    bool quantised; // the file that was named (the int8 one of a pair)
    bool large;     // … which starts with AMX where that is there (onednn.h)
    bool bf16, f16, amx, amx_f16;
    bool isa_set;   // the user has set the cap: it stands
};

// Fills in what can be told of this processor and of the environment; `pair` is the caller's.
void lq_tune_case_here(struct lq_tune_case *here, const char *path, bool ours);

// Writes the candidates to `all` and returns how many. The first one of each file is its reference:
// in f32, with what a start without a kept answer would use.
int lq_tune_candidates(const struct lq_tune_case *here, struct lq_tune_candidate *all);

// "nail-f16.onnx, bf16, no cap"; `path` is the candidate's file.
void lq_tune_candidate_name(const struct lq_tune_candidate *candidate, const char *path, char *text,
                            size_t size);

// Sets the cap for this process: before the engine's library is loaded.
void lq_tune_candidate_cap(const struct lq_tune_candidate *candidate);
