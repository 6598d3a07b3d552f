// The guide of the edge refinement: one number a pixel, about 1 on this nail and 0 beside it.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"

struct lq_guide {
    float weight[3], bias; // guide = clamp(weight . rgb + bias), rgb 0..1 as stored
    float noise;           // variance of the guide within nail and surroundings
};

// Block means of the picture, 0..1 as stored, row after row of blocks: planes->count is how many
// there are. Beyond its right and lower edge the picture's edge repeats.
void lq_guide_sample(const struct lq_image *picture, const struct lq_blocks *blocks,
                     const struct lq_rgb_row *planes);

// Fisher's discriminant between the blocks where `guess` is certain of nail and where of none.
void lq_guide_fit(struct lq_guide *guide, const struct lq_rgb_row *planes, const float *guess);

// The guide of each block.
void lq_guide_planes(const struct lq_guide *guide, const struct lq_rgb_row *planes, float *out);

// n pixels of the picture from (x, y).
void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n);
