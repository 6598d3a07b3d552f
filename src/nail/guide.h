// The guide of the edge refinement: one number a pixel, about 1 on this nail and 0 beside it.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"

struct lq_guide {
    float weight[3], bias; // guide = clamp(weight . rgb + bias), rgb 0..1 as stored
    float noise;           // variance of the guide within nail and surroundings
};

// Block means of the picture from (x, y): width x height blocks of step x step pixels.
void lq_guide_sample(const struct lq_image *picture, int x, int y, int step, int width, int height,
                     float *red, float *green, float *blue);

// Fisher's discriminant between where `guess` is sure of nail and where it is sure of none.
void lq_guide_fit(struct lq_guide *guide, const float *red, const float *green, const float *blue,
                  const float *guess, int n);

void lq_guide_planes(const struct lq_guide *guide, const float *red, const float *green,
                     const float *blue, float *out, int n);

// n pixels of the picture from (x, y).
void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n);
