// How a small piece of the picture moved from one frame to the next, to a fraction of a pixel.
// Method: inverse compositional alignment (Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV
// 2004) of the green channel around a nail, its mean taken out so that the camera's exposure may
// change. Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"
#include "nail/nail.h"

enum { LQ_TEMPLATE_SIDE = 28 }; // most samples along a side

// The picture around a nail, to be found again in the next frame.
struct lq_template {
    struct lq_blocks blocks;  // a sample is the mean of one
    float center_x, center_y; // the nail's, in samples
    float reach_x, reach_y;   // half axes of the ellipse that counts, samples
    float level[LQ_TEMPLATE_SIDE * LQ_TEMPLATE_SIDE];
};

// From a point p before to one after: p + (x, y) + (scale, turn) of its offset from the centre:
// dx = x + scale * ox - turn * oy, dy = y + turn * ox + scale * oy.
struct lq_motion {
    float x, y;        // picture pixels
    float scale, turn; // growth, and radians clockwise as seen
    float match;       // 1: the same pixels again; 0 or less: something else
};

void lq_template_init(struct lq_template *template, const struct lq_image *picture,
                      const struct lq_nail *nail);

// Aligns the template with `picture`, within about two samples of the shift (guess_x, guess_y).
// Returns the guess with match 0 where that is not possible.
struct lq_motion lq_motion_find(const struct lq_template *template, const struct lq_image *picture,
                                float guess_x, float guess_y);
