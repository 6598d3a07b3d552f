// The workers' task: parse the request, run the pipeline, write the response.
// Threads: each worker has its own pipe; the metrics are shared. Owner: lq_workers.
#pragma once

#include <stdatomic.h>

#include "serve/sched/cost.h"
#include "serve/sched/load.h"
#include "serve/sched/metrics.h"

struct lq_work_context {
    const struct lq_model *model;
    struct lq_serve_metrics *metrics;
    struct lq_load *load;
    struct lq_cost *cost;
    uint32_t max_age_ms; // of a live frame: after this its reply is of no use
    bool may_propagate;  // nails of a frame may be propagated while others wait (load.h)
    _Atomic(const struct lq_model *) *offered; // a model to switch to; NULL: none
};

// context must outlive the workers.
struct lq_work lq_work_with(struct lq_work_context *context);
