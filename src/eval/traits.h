// The kind of picture: classes by which `lacquer eval` breaks down its figures. They are computed
// only from the picture and its drawn mask, never from a prediction.
// Threads: one owner. Owner: init/release by the caller; scratch memory is kept between pictures.
//
// Skin is measured in a ring around the drawn nails. Let `side` be the square root of a drawn
// nail's mean area. The ring contains the pixels that are 0.10 to 0.35 of a side away (in rows or
// columns, whichever is more) and have the redness of skin: red above green and blue, not black
// (red >= 20) and not overexposed. `skin` is the median of red, of green and of blue in it, in CIE
// L*a*b* (sRGB, D65). If less than a quarter of the ring or fewer than 50 pixels look like skin,
// tone and light are unknown.
//
//   tone   individual typology angle, atan2(L* - 50, b*) of the skin in degrees (Chardon et al.,
//          Int. J. Cosmetic Science 13, 1991): how the skin looks in this picture, so a dim picture
//          of a light hand counts as dark
// size   `side` as a share of the picture's long side
// light  L* of the skin
// tint   b* of the picture's mean colour ("grey world")
#pragma once

#include "image/image.h"

enum lq_trait { LQ_TRAIT_TONE, LQ_TRAIT_SIZE, LQ_TRAIT_LIGHT, LQ_TRAIT_TINT, LQ_TRAIT_COUNT };
enum { LQ_TRAIT_CLASSES_MAX = 6 };

struct lq_traits {
    double value[LQ_TRAIT_COUNT]; // NaN: unknown
    int class_[LQ_TRAIT_COUNT];   // index among the trait's classes; -1: unknown
};

struct lq_traits_reader {
    struct lq_buf distance; // uint16_t per pixel
};

void lq_traits_init(struct lq_traits_reader *reader);
void lq_traits_release(struct lq_traits_reader *reader);

const char *lq_trait_name(enum lq_trait trait);                 // "tone", …
// "very_light", …; NULL past the last
const char *lq_trait_class(enum lq_trait trait, int class_);

// `drawn`: one byte per pixel of the picture, nail where >= 128, rows without padding; `nails`:
// number of drawn nails. Without a nail all traits are unknown.
LQ_MUST_CHECK int lq_traits_read(struct lq_traits_reader *reader, const struct lq_image *picture,
                                 const uint8_t *drawn, int nails, struct lq_traits *traits);
