// The noise that each layer's own rounding adds to what it makes: beside every layer of the float
// model runs its int8 twin on the same input, and both outputs are compared. One model for all
// layers, where measuring each alone takes a model a layer.
// Threads: the one that quantises. Owner: nothing is kept.
#pragma once

#include "convert/quantise_job.h"

// Fills in `own` of the plan's layers that are `quantised`, on `count` of the reference's pictures.
LQ_MUST_CHECK int lq_quantise_own(struct quantise_job *job, int count, struct lq_error *err);
