// Builds the model with a plan's layers quantised, and measures how far its outputs and masks are
// from the float model's.
// Threads: the one that quantises. Owner: nothing is kept.
#pragma once

#include "convert/quantise_job.h"

// Calls the options' `step`, if there is one.
void lq_quantise_progress(const struct quantise_job *job, const char *what, int done, int of);

// `made` becomes the tidy model with the plan's layers quantised; the caller frees it, also on
// failure.
LQ_MUST_CHECK int lq_quantise_build(struct quantise_job *job, const struct lq_quantise_way *way,
                                    struct lq_onnx *made, struct lq_error *err);

// Measures the noise of the outputs with the plan's layers quantised, on `count` of the reference's
// pictures.
LQ_MUST_CHECK int lq_quantise_measure(struct quantise_job *job, const struct lq_quantise_way *way,
                                      int count, double *noise, struct lq_error *err);
// Measures how far the masks agree with the float model's when the plan's layers are quantised the
// chosen way; NaN: not measured.
LQ_MUST_CHECK int lq_quantise_painted(struct quantise_job *job, double *iou, struct lq_error *err);
