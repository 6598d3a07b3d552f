// The guide of edge refinement: one number per pixel, about 1 on this nail and 0 beside it.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"

struct lq_guide {
    float weight[3], bias; // guide = clamp(weight . rgb + bias), rgb 0..1 as stored
    float noise;           // variance of the guide within the nail and within its surroundings
};

// Samples block means of the picture, 0..1 as stored, in rows of blocks; planes->count is their
// number. Beyond the right and lower edge of the picture its edge pixels repeat.
void lq_guide_sample(const struct lq_image *picture, const struct lq_blocks *blocks,
                     const struct lq_rgb_row *planes);

// Computes Fisher's discriminant between blocks that `guess` is certain are nail and are not.
void lq_guide_fit(struct lq_guide *guide, const struct lq_rgb_row *planes, const float *guess);

// Computes the guide of each block.
void lq_guide_planes(const struct lq_guide *guide, const struct lq_rgb_row *planes, float *out);

// Computes the guide of n pixels of the picture, from (x, y).
void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n);
