// The ways to compute a model that `lacquer tune` tries: which file, which precision, and which of
// the processor's instructions.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

enum { LQ_TUNE_CANDIDATES_MAX = 24, LQ_TUNE_ISA_MAX = 24 };

struct lq_tune_candidate {
    bool floats;                  // the float file of a pair (below) instead of the int8 one
    enum lq_precision precision;
    char isa[LQ_TUNE_ISA_MAX];    // ONEDNN_MAX_CPU_ISA; "ALL": no limit; "": as set by the user
};

// Properties of the processor and the model.
struct lq_tune_case {
    bool ours;      // the default network
    bool pair;      // a network in two files, int8 and float, like the default one
    bool quantised; // the named file is quantised (in a pair, it is the int8 file)
    bool large;     // … and large enough that AMX is used by default (onednn.h)
    bool bf16, f16, amx, amx_f16;
    bool isa_set;   // the user has set the limit, which is kept
};

// Fills in the properties of the file, this processor and the environment. `pair` is set to `ours`;
// the caller may change it.
void lq_tune_case_here(struct lq_tune_case *here, const char *path, bool ours);

// Writes the candidates to `all` and returns their number. The first one of each file is its
// reference: f32, with the settings used when there is no stored choice.
int lq_tune_candidates(const struct lq_tune_case *here, struct lq_tune_candidate *all);

// Writes "nail-f16.onnx, bf16, no cap"; `path` is the candidate's file.
void lq_tune_candidate_name(const struct lq_tune_candidate *candidate, const char *path, char *text,
                            size_t size);

// Sets the instruction limit for this process; call it before the engine's library is loaded.
void lq_tune_candidate_cap(const struct lq_tune_candidate *candidate);
