// Moves a nail's outline to the next frame and blends it with the one detected there.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/motion.h"

// A mask as it was shown: alpha in picture pixels, rows of `stride` bytes.
struct lq_shown_mask {
    struct lq_pixel_box box;
    size_t stride;
    const uint8_t *alpha;
    float center_x, center_y; // centre of the motion's rotation and growth
};

// The smallest box that holds the moved mask, clipped to the picture; false if nothing of it is
// left.
bool lq_shown_mask_moved_box(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                             const struct lq_image *picture, struct lq_pixel_box *box);

// Draws the part of the moved mask inside such a box; rows of `out` are `stride` bytes apart.
void lq_shown_mask_move(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                        const struct lq_pixel_box *box, uint8_t *out, size_t stride);

// How well two masks agree: sum of the smaller over sum of the larger coverage; 1: identical.
float lq_blend_agreement(const uint8_t *a, const uint8_t *b, size_t n);

// How much moving a mask blurs its edge: 0 for whole pixels, at most 1.
float lq_blend_softening(const struct lq_motion *motion);

// out = a + share * (b - a), with the edge sharpened to undo the blur (`softening`) of moving a.
void lq_blend(const uint8_t *a, const uint8_t *b, uint8_t *out, size_t n, float share,
              float softening);
