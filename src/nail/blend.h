// A nail's outline propagated to the next frame and blended with the one found there.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/motion.h"

// A mask as it was shown: alpha in picture pixels, rows of `stride` bytes.
struct lq_shown_mask {
    struct lq_pixel_box box;
    size_t stride;
    const uint8_t *alpha;
    float center_x, center_y; // what the motion turns about
};

// The smallest box that holds the moved mask, within the picture; false when none is left.
bool lq_shown_mask_moved_box(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                             const struct lq_image *picture, struct lq_pixel_box *box);

// Draws the part of the moved mask that lies in such a box; rows of `out` are `stride` bytes.
void lq_shown_mask_move(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                        const struct lq_pixel_box *box, uint8_t *out, size_t stride);

// How well two masks agree: sum of the lesser over the sum of the greater coverage, 1 = the same.
float lq_blend_agreement(const uint8_t *a, const uint8_t *b, size_t n);

// How much softer a mask's edge gets by being moved: 0 for whole pixels, 1 at most.
float lq_blend_softening(const struct lq_motion *motion);

// out = a + share * (b - a), its edge sharpened by what moving a by `softening` took.
void lq_blend(const uint8_t *a, const uint8_t *b, uint8_t *out, size_t n, float share,
              float softening);
