// The workers' task: read what came, run the pipeline, write the answer.
// Threads: each worker has its own pipe; the metrics are shared. Owner: lq_workers.
#pragma once

#include "serve/cost.h"
#include "serve/load.h"
#include "serve/metrics.h"

struct lq_work_context {
    const struct lq_model *model;
    struct lq_metrics *metrics;
    struct lq_load *load;
    struct lq_cost *cost;
    uint32_t max_age_ms; // of a live frame: then nobody waits for its answer any more
    bool may_propagate;  // nails of a frame may be carried from the last where others wait (load.h)
};

// context must outlive the workers.
struct lq_work lq_work_with(struct lq_work_context *context);
