// A served model after reading: its tensors and sidecar as the Triton servers describe them, and
// the local file of the same model for when they are down. triton.c compiles it.
// Threads and owner: as engine.h says for a model.
#pragma once

#include "engine/fallback.h"
#include "engine/triton_pool.h"

struct lq_triton_served {
    struct lq_engine_model model;
    struct lq_triton_pool *pool;
    struct lq_fallback_model fallback;
    uint64_t timeout_us; // per request; 0: the default
};

LQ_MUST_CHECK int lq_triton_served_read(struct lq_engine_model **model,
                                        const struct lq_engine_source *source,
                                        struct lq_error *err);
void lq_triton_served_forget(struct lq_engine_model *model); // model may be NULL
