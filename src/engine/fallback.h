// An engine that stands in for another: it runs the same model file in this process while the
// servers that should are away. Tensors are copied in and out; they are those of the file.
// Threads: a fallback is shared; its requests belong to one thread each.
// Owner: read/forget and compile/close by the caller; a fallback is closed after its requests are
// freed, and may outlive what it was compiled from.
#pragma once

#include "engine/engine.h"

struct lq_fallback_model {
    const struct lq_engine_ops *ops; // NULL: there is none
    struct lq_engine_model *model;
};

struct lq_fallback {
    const struct lq_engine_ops *ops; // NULL: there is none
    struct lq_engine *engine;
};

// Reads the source's file by the engine of that name. To be forgotten also where it fails.
LQ_MUST_CHECK int lq_fallback_read(struct lq_fallback_model *fallback, const char *engine,
                                   const struct lq_engine_source *source, struct lq_error *err);
void lq_fallback_forget(struct lq_fallback_model *fallback); // a zeroed one is fine

// To be closed also where it fails.
LQ_MUST_CHECK int lq_fallback_compile(struct lq_fallback *fallback,
                                      const struct lq_fallback_model *from,
                                      const struct lq_engine_options *options,
                                      struct lq_error *err);
void lq_fallback_close(struct lq_fallback *fallback); // a zeroed one is fine

// Runs one of its own requests on the tensors of another.
LQ_MUST_CHECK int lq_fallback_run(const struct lq_fallback *fallback, struct lq_request *request,
                                  const struct lq_tensors *tensors, uint64_t deadline_us,
                                  struct lq_error *err);
