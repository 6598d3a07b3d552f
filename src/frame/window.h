// Windows of the multi-scale pass: squares around the nails of a picture, few, each with as many
// neighbours as fit. Threads: any. Owner: all memory is the caller's.
#pragma once

#include "nail/nail.h"

enum { LQ_WINDOWS_MAX = 12 };

struct lq_window { // whole picture pixels, inside the picture
    float x0, y0, x1, y1;
};

float lq_window_side(const struct lq_window *window); // the longer one

// Largest nails first, each nail in one window at least but for those that are large in the picture
// already. Returns how many.
int lq_windows_choose(struct lq_window *windows, const struct lq_image *picture,
                      const struct lq_nails *nails);
