// The result of `lacquer tune`: the fastest way to compute a model here. It is a small file in the
// cache folder, named for the processor, the engine's library, this version, the model's contents
// and the number of cores. It ends with a checksum; a damaged one is discarded.
// Threads: the main one. Owner: the caller; a choice holds no memory. Loads no engine.
#pragma once

#include "cli/model_options.h"
#include "cli/tune_candidates.h"

struct lq_tune_choice {
    struct lq_tune_candidate candidate;
    bool one_core;    // a single frame is no slower on one core than on all
    double alone_ms, side_fps; // as measured by the tuning
};

// Its key in the cache; 0 if the model file cannot be read. Call it before lq_cli_limit_onednn,
// which changes what the processor offers.
uint64_t lq_tune_key(const struct lq_cli_model *config);

// False if none is stored for the key, or it was damaged: then it is removed, with a log line.
bool lq_tune_choice_read(const char *cache_dir, uint64_t key, struct lq_tune_choice *choice);
LQ_MUST_CHECK int lq_tune_choice_write(const char *cache_dir, uint64_t key,
                                       const struct lq_tune_choice *choice, struct lq_error *err);

// Whether the options leave open how the model is computed here, in this process. False if
// LACQUER_TUNE=off.
bool lq_tune_is_open(const struct lq_cli_model *config);

// Applies the choice's file, precision and threads; and the instruction limit, for this process,
// before the engine's library is loaded.
void lq_tune_choice_use(const struct lq_tune_choice *choice, struct lq_cli_model *config);

// Applies the stored choice, if there is one and the options leave it open. True if it did.
bool lq_tune_take(struct lq_cli_model *config);
