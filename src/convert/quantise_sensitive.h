// Layers that lose too much in int8 go back to float: the fewest with which the masks agree with
// the float model's, or, where no masks are to be had, those whose own rounding is too coarse.
// Threads: the one that quantises. Owner: nothing is kept.
#pragma once

#include "convert/quantise_job.h"

// Sets `quantised` of the plan's layers, and the job's noise and iou.
LQ_MUST_CHECK int lq_quantise_keep(struct quantise_job *job, struct lq_error *err);
