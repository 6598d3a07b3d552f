// Windows of the multi-scale pass: a few squares around the nails of a picture, each with as many
// neighbouring nails as fit. Threads: any. Owner: the caller owns all memory.
#pragma once

#include "nail/nail.h"

enum { LQ_WINDOWS_MAX = 12 };

struct lq_window { // whole picture pixels, inside the picture
    float x0, y0, x1, y1;
};

float lq_window_side(const struct lq_window *window); // the longer side

// A square of this side around a place, moved inside the picture and not larger than it.
struct lq_window lq_window_around(const struct lq_image *picture, float x, float y, float side);
struct lq_pixel_box lq_window_box(const struct lq_window *window);
struct lq_window lq_window_of(const struct lq_pixel_box *box);
// Moves the patch that the network returned for this part of a picture to its place in the picture.
void lq_patch_place(struct lq_patch *patch, const struct lq_pixel_box *part);

// Starts with the largest nails; each nail is in at least one window, except nails that are already
// large in the picture. points: in a row of the network's map, were it square. Returns how many
// windows there are.
int lq_windows_choose(struct lq_window *windows, const struct lq_image *picture,
                      const struct lq_nails *nails, float points);
