// Measures the noise that each layer's own rounding adds to its output. In one model, an int8 copy
// of every layer runs on the same input as the layer of the float model, and the two outputs are
// compared. Measuring each layer alone would need one model per layer.
// Threads: the one that quantises. Owner: nothing is kept.
#pragma once

#include "convert/quantise_job.h"

// Sets `own` of the plan's layers that are `quantised`, measured on `count` of the reference's
// pictures.
LQ_MUST_CHECK int lq_quantise_own(struct quantise_job *job, int count, struct lq_error *err);
