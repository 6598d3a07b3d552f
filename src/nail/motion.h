// How a small part of the picture moved from one frame to the next, with subpixel accuracy.
// Method: inverse compositional alignment (Baker and Matthews, "Lucas-Kanade 20 Years On", IJCV
// 2004) of the green channel around a nail. Its mean is subtracted, so that the camera's exposure
// may change. Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"
#include "nail/nail.h"

enum { LQ_TEMPLATE_SIDE = 28 }; // maximum number of samples along a side

// The picture around a nail, to be found again in the next frame.
struct lq_template {
    struct lq_blocks blocks;  // a sample is the mean of one block
    float center_x, center_y; // the nail's, in samples
    float reach_x, reach_y;   // half axes, in samples, of the ellipse that is compared
    float level[LQ_TEMPLATE_SIDE * LQ_TEMPLATE_SIDE];
};

// Maps a point p of the last frame to this one: p + (x, y) + (scale, turn) applied to its offset
// from the centre: dx = x + scale * ox - turn * oy, dy = y + turn * ox + scale * oy.
struct lq_motion {
    float x, y;        // picture pixels
    float scale, turn; // growth, and clockwise rotation in radians
    float match;       // 1: the same pixels; 0 or less: something else
};

void lq_template_init(struct lq_template *template, const struct lq_image *picture,
                      const struct lq_nail *nail);

// Aligns the template with `picture`, within about two samples of the shift (guess_x, guess_y). If
// that is not possible, returns the guess with match 0.
struct lq_motion lq_motion_find(const struct lq_template *template, const struct lq_image *picture,
                                float guess_x, float guess_y);
