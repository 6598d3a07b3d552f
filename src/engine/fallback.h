// An engine that stands in for another: it runs the same model file in this process while the
// servers that should are away. Tensors are copied in and out; they are those of the file.
// Threads: a spare is shared; a spare request belongs to one thread.
// Owner: open/close and new/free by the caller; a spare is closed after its requests are freed.
#pragma once

#include "engine/engine.h"

struct lq_fallback {
    const struct lq_engine_ops *ops; // NULL: there is none
    struct lq_engine *engine;
};

// Opens `path` in the engine called `name`. options->shape counts, options->remote does not.
LQ_MUST_CHECK int lq_fallback_open(struct lq_fallback *fallback, const char *name, const char *path,
                                   const struct lq_engine_options *options, struct lq_error *err);
void lq_fallback_close(struct lq_fallback *fallback);

// Runs one of its own requests on the tensors of another.
LQ_MUST_CHECK int lq_fallback_run(const struct lq_fallback *fallback, struct lq_request *request,
                                  const struct lq_tensors *tensors, uint64_t deadline_us,
                                  struct lq_error *err);
