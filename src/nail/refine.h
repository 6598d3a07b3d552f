// Refines one nail's outline from a coarse grid of probabilities to soft alpha at full resolution.
// Method: bicubic upsampling; then a guided filter (He, Sun and Tang, ECCV 2010; subsampled where
// the grid is coarse, He and Sun, arXiv 1505.00996) whose guide is the colour direction that best
// separates this nail from its surroundings (Fisher's discriminant); then a smooth closed curve
// through the level 0.5 (outline.h), whose edge is made as soft as the picture's own (sharpness.h).
// The picture may move the outline only where the grid is uncertain.
// Threads: one owner at a time. Owner: init/release by the caller; scratch memory is kept.
#pragma once

#include "image/image.h"

struct lq_refiner {
    struct lq_buf scratch;
};

struct lq_refine_job {
    const struct lq_image *picture;
    const float *grid;              // grid_width x grid_height, 0..1, 0.5 = outline, no NaN
    int grid_width, grid_height;
    float x0, y0, dx, dy;           // grid point (i, j) lies at (x0 + i * dx, y0 + j * dy)
    int x, y, width, height;        // the crop, inside the picture
    uint8_t *alpha;                 // out: width x height
    size_t alpha_stride;
    float edge;                     // out: the width of the picture's edges, pixels; 0: it has none
};

void lq_refiner_init(struct lq_refiner *refiner);
void lq_refiner_release(struct lq_refiner *refiner);

LQ_MUST_CHECK int lq_refine(struct lq_refiner *refiner, struct lq_refine_job *job);
