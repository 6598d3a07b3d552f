// Estimates how sharp the picture is around one nail's outline: paint drawn sharper than its
// surroundings looks pasted on.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"

// Width in pixels of the sharper edges across the outline (the level 0.5 of `guess`, which has a
// value for the middle of each block), measured as a straight ramp of the edges' steepest slope. At
// least 1; 0 if the picture has no edges there to measure.
float lq_sharpness_edge(const struct lq_image *picture, const struct lq_blocks *blocks,
                        const float *guess);
