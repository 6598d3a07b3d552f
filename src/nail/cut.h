// One nail's own part of a patch's grid, ready for refinement.
// Threads: one owner at a time. Owner: the grid's memory is the caller's; the job points into it.
#pragma once

#include "model/model.h"
#include "nail/components.h"
#include "nail/refine.h"

// Puts component number `index` of the patch into `grid` (floats; resized) with room around it:
// levels 0..1 with the patch's threshold at 0.5, NaN and everything outside the patch's box 0, the
// other components gone, and smoothed where grid points lie as close as pixels.
// Fills the job's grid fields and its scale; its picture, crop and alpha are the caller's.
LQ_MUST_CHECK int lq_cut(struct lq_buf *grid, const struct lq_components *components, int index,
                         const struct lq_patch *patch, struct lq_refine_job *job);
