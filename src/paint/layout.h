// Which colour lies where on a nail: ombre, French tip, nail art. docs/LOOKS.md, "Layout".
// Threads: any. Owner: the caller brings all memory.
#pragma once

#include "paint/finish.h"

// Rows of n: linear pigment, how far it hides the nail, and how far the finish's effect shows.
void lq_layout_row(const struct lq_coat *coat, float u, float w, float du, float dw, int n,
                   float *red, float *green, float *blue, float *hide, float *seen);
