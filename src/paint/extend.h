// Longer nails: polish beyond the natural tip, in the shapes that salons make. Drawn from the local
// frame; only where it says which end is the tip.
// Threads: any. Owner: the caller brings all memory.
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

// Which nails may be made longer: all of a hand or none of it, as one short nail among long ones
// looks broken. A hand is nails within reach of one another; a nail too small to extend does not
// count.
void lq_extend_choose(const struct lq_nails *nails, bool chosen[LQ_NAILS_MAX]);

// Numbers the hands of the picture from 0, and says which each nail is of. Returns how many.
int lq_extend_hands(const struct lq_nails *nails, int hands[LQ_NAILS_MAX]);

// The crop of the nail with its extension, inside the picture; false when there is nothing to add.
bool lq_extend_measure(struct lq_extent *extent, const struct lq_extension *extension,
                       const struct lq_image *picture, const struct lq_nail *nail);

// Coverage in the extent's crop, rows of extent->width: the natural nail's into `own`, with the
// extension in `whole`.
void lq_extend_draw(const struct lq_extent *extent, const struct lq_nail *nail, uint8_t *own,
                    uint8_t *whole);

// Darkens the picture where the extension keeps light from what lies beneath it. Before any polish
// is painted: what is painted later lies in the shadow too. light: towards it, in the picture's
// plane. *reached: nothing outside of it was changed.
void lq_extend_shadow(const struct lq_extent *extent, struct lq_image *picture,
                      const struct lq_nail *nail, float light_x, float light_y,
                      struct lq_pixel_box *reached);
