// How long an opened model takes for a frame of 640x480, prepared once: the network alone.
// Threads: the caller's; lq_tune_time_side starts and ends its own. Owner: nothing is kept.
#pragma once

#include "model/model.h"

// Milliseconds of processor time of one frame, of a model opened with LQ_TUNE_THROUGHPUT: the lower
// quartile of what can be had in a fifth of a second, five frames at least.
LQ_MUST_CHECK int lq_tune_time_one(const struct lq_model *model, double *ms, struct lq_error *err);

// The same by the clock, of a model opened with LQ_TUNE_LATENCY.
LQ_MUST_CHECK int lq_tune_time_all(const struct lq_model *model, double *ms, struct lq_error *err);

// Frames a second of so many cores with one frame on each at the same time, by the processor time
// that they take then.
LQ_MUST_CHECK int lq_tune_time_side(const struct lq_model *model, int cores, double *fps,
                                    struct lq_error *err);
