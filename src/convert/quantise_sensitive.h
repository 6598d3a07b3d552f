// Moves layers that lose too much accuracy in int8 back to float: the fewest with which the masks
// agree with the float model's or, if there are no masks, those whose own noise is too high.
// Threads: the one that quantises. Owner: nothing is kept.
#pragma once

#include "convert/quantise_job.h"

// Sets `quantised` of the plan's layers, and the job's noise and iou.
LQ_MUST_CHECK int lq_quantise_keep(struct quantise_job *job, struct lq_error *err);
