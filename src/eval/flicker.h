// How steady masks are from frame to frame of a video, compared with drawn masks that show how the
// nails really moved. Masks are bytes, nail where >= 128 (soft values count in flicker).
// Threads: one owner. Owner: init/release by the caller; memory is kept between frames.
//
// flicker  the mean over nails and frames of: the sum over pixels of |this mask - the last mask,
//          moved as the drawn nail's centre moved|, over the drawn nail's area. A nail that is
//          there in one frame and not in the next counts about 1.
// floor    the same for the drawn masks: what turning, growing and their pixels cost by themselves
// lag      frames by which predicted centres trail: the slope of (predicted - drawn centre)
//          against the drawn centre's step since the last frame, least squares, sign reversed
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "nail/components.h"

struct lq_flicker {
    double change, floor;      // sums over nails
    double against, steps;     // lag: sums of error . step and step . step
    int pairs;                 // nails present in two consecutive frames
    int width, height;         // of the last frame; 0: none
    struct lq_buf predicted, drawn, levels; // the last frame's masks; scratch
    struct lq_components now, last;
};

void lq_flicker_init(struct lq_flicker *flicker);
void lq_flicker_release(struct lq_flicker *flicker);

// Adds the next frame: width x height bytes each, rows without padding. A new size starts over.
LQ_MUST_CHECK int lq_flicker_add(struct lq_flicker *flicker, const uint8_t *predicted,
                                 const uint8_t *drawn, int width, int height);

// NaN until a nail was present in two consecutive frames; lag also if nothing moved.
double lq_flicker_mean(const struct lq_flicker *flicker);
double lq_flicker_floor(const struct lq_flicker *flicker);
double lq_flicker_lag(const struct lq_flicker *flicker);
