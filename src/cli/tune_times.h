// Measures how long an opened model takes for a frame of 640x480. The frame is prepared once; only
// the network is timed.
// Threads: the caller's; lq_tune_time_side starts and joins its own. Owner: nothing is kept.
#pragma once

#include "model/model.h"

// Processor time of one frame in milliseconds, for a model opened with LQ_TUNE_THROUGHPUT: the
// lower quartile of the runs in a fifth of a second, at least five.
LQ_MUST_CHECK int lq_tune_time_one(const struct lq_model *model, double *ms, struct lq_error *err);

// The same by wall clock, for a model opened with LQ_TUNE_LATENCY.
LQ_MUST_CHECK int lq_tune_time_all(const struct lq_model *model, double *ms, struct lq_error *err);

// Frames per second of this many cores with one frame on each at the same time, computed from the
// processor time that these frames take.
LQ_MUST_CHECK int lq_tune_time_side(const struct lq_model *model, int cores, double *fps,
                                    struct lq_error *err);
