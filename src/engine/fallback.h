// A substitute engine: it runs the same model file in this process while the servers that should
// run it are unavailable. Tensors are copied in and out; they are those of the file.
// Threads: a fallback is shared; each of its requests belongs to one thread.
// Owner: read/forget and compile/close by the caller. Close a fallback after its requests are
// freed; it may outlive the model it was compiled from.
#pragma once

#include "engine/engine.h"

struct lq_fallback_model {
    const struct lq_engine_ops *ops; // NULL: there is no fallback
    struct lq_engine_model *model;
};

struct lq_fallback {
    const struct lq_engine_ops *ops; // NULL: there is no fallback
    struct lq_engine *engine;
};

// Reads the source's file with the engine of that name. Call forget even if it fails.
LQ_MUST_CHECK int lq_fallback_read(struct lq_fallback_model *fallback, const char *engine,
                                   const struct lq_engine_source *source, struct lq_error *err);
void lq_fallback_forget(struct lq_fallback_model *fallback); // may be zeroed

// Call close even if it fails.
LQ_MUST_CHECK int lq_fallback_compile(struct lq_fallback *fallback,
                                      const struct lq_fallback_model *from,
                                      const struct lq_engine_options *options,
                                      struct lq_error *err);
void lq_fallback_close(struct lq_fallback *fallback); // may be zeroed

// Copies `tensors` to one of the fallback's own requests, runs it, and copies the outputs back.
LQ_MUST_CHECK int lq_fallback_run(const struct lq_fallback *fallback, struct lq_request *request,
                                  const struct lq_tensors *tensors, uint64_t deadline_us,
                                  struct lq_error *err);
