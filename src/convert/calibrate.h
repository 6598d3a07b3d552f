// Runs a float model over pictures, to collect the statistics that a plan needs of its tensors.
// Threads: one owner. Owner: the caller keeps the plan.
#pragma once

#include "convert/pictures.h"
#include "convert/quantise_plan.h"

// Reports progress: `step` is called after each picture.
struct lq_calibrate_progress {
    void (*step)(void *context, int done, int of);
    void *context;
};

// Fills the plan's histograms and channel means, and its layers' `macs`. `onnx` is the tidy model;
// files for the engine are written to `folder` and then deleted. progress may be NULL.
LQ_MUST_CHECK int lq_calibrate(const struct lq_onnx *onnx, struct lq_plan *plan,
                               const struct lq_pictures *pictures, const char *folder,
                               const struct lq_calibrate_progress *progress,
                               struct lq_error *err);
