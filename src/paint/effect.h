// What a finish does to the body of the polish, under the top coat: flakes, pearl, metal, mirror,
// magnetic band, sand. docs/LOOKS.md, "Effects".
// Threads: any. Owner: plain data.
#pragma once

#include "paint/finish.h"

// A row in work: rows of `count` floats.
struct lq_effect_row {
    float u, w, du, dw;               // as in lq_coat_row
    int count;
    const float *slope_u, *slope_w, *slope_z; // the surface's normal
    const float *body;                // light on it against the nail's mean
    float *red, *green, *blue;        // linear light; changed
    float *seen;                      // 0..1 of the body that shows the effect (not a French tip)
};

void lq_effect_apply(const struct lq_coat *coat, const struct lq_effect_row *row);
