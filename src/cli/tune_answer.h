// What `lacquer tune` found to be the fastest way to compute a model here: a small file in the
// cache folder, named for the processor, the engine's library, this version, the model's contents
// and how many cores there are. It ends with a checksum; one that is damaged is thrown away.
// Threads: the main one. Owner: the caller; an answer holds no memory. Loads no engine.
#pragma once

#include "cli/model_options.h"
#include "cli/tune_candidates.h"

struct lq_tune_answer {
    struct lq_tune_candidate candidate;
    bool one_core;    // a frame that is alone is no slower on one core than on all
    double alone_ms, side_fps; // as measured then
};

// Its name in the cache; 0 when the model's file cannot be read. Before lq_cli_limit_onednn, which
// changes what the processor offers.
uint64_t lq_tune_key(const struct lq_cli_model *asked);

// False when none is kept for the key, or a damaged one was: that is removed, and a line says so.
bool lq_tune_answer_read(const char *cache_dir, uint64_t key, struct lq_tune_answer *answer);
LQ_MUST_CHECK int lq_tune_answer_write(const char *cache_dir, uint64_t key,
                                       const struct lq_tune_answer *answer, struct lq_error *err);

// Whether the options leave open how the model is computed, here and in this process. Not so with
// LACQUER_TUNE=off.
bool lq_tune_is_open(const struct lq_cli_model *asked);

// Sets file, arithmetic and threads as the answer says; and the cap, for this process, before the
// engine's library is loaded.
void lq_tune_answer_use(const struct lq_tune_answer *answer, struct lq_cli_model *asked);

// Uses the kept answer, if there is one and the options leave it open. True when it does.
bool lq_tune_take(struct lq_cli_model *asked);
