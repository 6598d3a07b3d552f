// What Triton servers offer under a name, as read: the model's tensors and sidecar as they say
// them, and the same model's file for when they are away. triton.c compiles it.
// Threads and owner: as engine.h says of a model that was read.
#pragma once

#include "engine/fallback.h"
#include "engine/triton_pool.h"

struct lq_triton_served {
    struct lq_engine_model model;
    struct lq_triton_pool *pool;
    struct lq_fallback_model fallback;
    uint64_t timeout_us; // of one request; 0: the default
};

LQ_MUST_CHECK int lq_triton_served_read(struct lq_engine_model **model,
                                        const struct lq_engine_source *source,
                                        struct lq_error *err);
void lq_triton_served_forget(struct lq_engine_model *model); // NULL is fine
