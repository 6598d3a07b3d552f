// A float model run over pictures: what a plan must know of its tensors' numbers.
// Threads: one owner. Owner: the plan stays the caller's.
#pragma once

#include "convert/pictures.h"
#include "convert/quantise_plan.h"

// Fills the plan's histograms and channel means, and its layers' `macs`. `onnx` is the tidy model;
// files for the engine are written to `folder` and deleted. `step`: after each picture; may be
// NULL.
LQ_MUST_CHECK int lq_calibrate(const struct lq_onnx *onnx, struct lq_plan *plan,
                               const struct lq_pictures *pictures, const char *folder,
                               void (*step)(void *context, int done, int of), void *context,
                               struct lq_error *err);
