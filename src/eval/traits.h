// What kind of picture it is: the classes by which `lacquer eval` breaks its figures down. They are
// read from the picture and its drawn mask alone, never from a prediction.
// Threads: one owner. Owner: init/release by the caller; scratch memory is kept between pictures.
//
// Skin is taken from a ring around the drawn nails. With `side` the square root of a drawn nail's
// mean area, it holds what lies from 0.10 to 0.35 of a side away (rows or columns, the greater) and
// is red as skin is: red above green and blue, not black (red >= 20) and not burnt out. `skin` is
// the median of red, of green and of blue over it, in CIE L*a*b* (sRGB, D65). If less than a
// quarter of the ring or fewer than 50 pixels look like skin, tone and light are unknown.
//
// tone   individual typology angle, atan2(L* - 50, b*) of the skin in degrees (Chardon et al., Int.
// J.
//        Cosmetic Science 13, 1991): how the skin looks in this picture, so a dim picture of a
// light
//        hand counts as dark
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
    struct lq_buf distance; // uint16_t a pixel
};

void lq_traits_init(struct lq_traits_reader *reader);
void lq_traits_release(struct lq_traits_reader *reader);

const char *lq_trait_name(enum lq_trait trait);                 // "tone", …
// "very_light", …; NULL past the last
const char *lq_trait_class(enum lq_trait trait, int class_);

// `drawn`: a byte a pixel of the picture, nail where >= 128, rows without padding; `nails`: how
// many nails are drawn there. Without a nail nothing is known.
LQ_MUST_CHECK int lq_traits_read(struct lq_traits_reader *reader, const struct lq_image *picture,
                                 const uint8_t *drawn, int nails, struct lq_traits *traits);
