// The guide of the edge refinement: one number a pixel, about 1 on this nail and 0 beside it.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"

// Three planes of as many floats, 0..1, the picture's numbers as stored.
struct lq_rgb_planes {
    float *red, *green, *blue;
};

struct lq_guide {
    float weight[3], bias; // guide = clamp(weight . rgb + bias), rgb 0..1 as stored
    float noise;           // variance of the guide within nail and surroundings
};

// Block means of the picture, row after row of blocks; beyond its right and lower edge it repeats.
void lq_guide_sample(const struct lq_image *picture, const struct lq_blocks *blocks,
                     const struct lq_rgb_planes *planes);

// Fisher's discriminant between where `guess` is certain of nail and where of none: n blocks.
void lq_guide_fit(struct lq_guide *guide, const struct lq_rgb_planes *planes, const float *guess,
                  int n);

// The guide of n blocks.
void lq_guide_planes(const struct lq_guide *guide, const struct lq_rgb_planes *planes, float *out,
                     int n);

// n pixels of the picture from (x, y).
void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n);
