// Longer nails: draws polish beyond the natural tip, in the shapes that salons offer. Drawn in the
// nail's local frame, and only if it is known which end is the tip.
// Threads: any. Owner: the caller supplies all memory.
#pragma once

#include "image/image.h"
#include "nail/nail.h"
#include "paint/look.h"

// Where the extended nail lies: its crop, and its end in nail coordinates (the natural tip is 1).
enum { LQ_EXTENT_STEPS = 64 };

struct lq_extent {
    int x, y, width, height;
    float end;
    float half;  // half width where it begins, in nail coordinates (natural sides are 1)
    float outline[LQ_EXTENT_STEPS + 2];  // half widths from where it narrows to its end
};

// Chooses the nails to extend: either all of a hand or none, because one short nail among long ones
// looks broken. A hand is a group of nails within reach of one another; a nail too small to extend
// does not count.
void lq_extend_choose(const struct lq_nails *nails, bool chosen[LQ_NAILS_MAX]);

// Numbers the hands of the picture from 0 and sets each nail's hand. Returns how many there are.
int lq_extend_hands(const struct lq_nails *nails, int hands[LQ_NAILS_MAX]);

// Computes the crop of the nail with its extension, inside the picture; false if there is nothing
// to add.
bool lq_extend_measure(struct lq_extent *extent, const struct lq_extension *extension,
                       const struct lq_image *picture, const struct lq_nail *nail);

// Draws coverage in the extent's crop, in rows of extent->width: the natural nail alone to `own`,
// the nail with its extension to `whole`.
void lq_extend_draw(const struct lq_extent *extent, const struct lq_nail *nail, uint8_t *own,
                    uint8_t *whole);

// Darkens the picture where the extension shades what lies beneath it. Call it before any polish is
// painted, so that polish beneath the extension is shaded too. light: direction towards the light,
// in the picture's plane. *reached: box outside which nothing was changed.
void lq_extend_shadow(const struct lq_extent *extent, struct lq_image *picture,
                      const struct lq_nail *nail, float light_x, float light_y,
                      struct lq_pixel_box *reached);
