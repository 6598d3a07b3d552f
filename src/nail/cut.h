// Cuts one nail's part out of a patch's grid, ready for refinement.
// Threads: one owner at a time. Owner: the caller owns the grid's memory; the job points into it.
#pragma once

#include "model/model.h"
#include "nail/components.h"
#include "nail/refine.h"

// Copies component number `index` of the patch to `grid` (floats; resized) with a margin: levels
// 0..1, with 0.5 at the outline, a little above the patch's threshold; 0 for NaN, outside the
// patch's box and on other components; smoothed where grid points are as dense as pixels.
// Sets the job's grid fields and its scale; the caller sets picture, crop and alpha.
LQ_MUST_CHECK int lq_cut(struct lq_buf *grid, const struct lq_components *components, int index,
                         const struct lq_patch *patch, struct lq_refine_job *job);
