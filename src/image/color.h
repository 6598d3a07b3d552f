// Colour profiles (ICC.1) by Little CMS: what a picture's numbers stand for, against linear light
// of sRGB's primaries, which polish is mixed in. A profile is foreign input: a broken one counts as
// none.
// Threads: one struct lq_color belongs to one thread at a time. Owner: new/free by the codec; what
// is made of a profile is kept until another one comes, so that a video's frames make it once.
#pragma once

#include <stdbool.h>

#include "image/image.h"

struct lq_color;

enum lq_color_kind {
    LQ_COLOR_SRGB,      // no profile, a broken one, or one that says what sRGB says
    LQ_COLOR_BOTH_WAYS, // polish can be painted in the picture's own colours
    LQ_COLOR_READ_ONLY, // a device's profile that only tells what its numbers looked like
    LQ_COLOR_GREY,      // of one channel
    LQ_COLOR_INKS,      // of four
};

LQ_MUST_CHECK int lq_color_new(struct lq_color **color);
void lq_color_free(struct lq_color *color);

// What kind of profile it is; the calls below then go by it.
enum lq_color_kind lq_color_set(struct lq_color *color, const uint8_t *icc, size_t len);

// With BOTH_WAYS. Fills `row` with linear light, clamped to 0..1, of as many pixels of `image`'s
// format from `pixels` on.
void lq_color_read(const struct lq_color *color, const struct lq_image *image,
                   const uint8_t *pixels, const struct lq_rgb_row *row);

// With BOTH_WAYS. Linear light to the picture's own numbers, 0..1, in place.
void lq_color_store(const struct lq_color *color, const struct lq_rgb_row *row);

// With BOTH_WAYS or READ_ONLY. `srgb`: of the same size, 8 bits, RGB; or, for READ_ONLY, the image
// itself. Alpha stays.
void lq_color_to_srgb(const struct lq_color *color, const struct lq_image *image,
                      const struct lq_image *srgb);

// With GREY. Grey samples, as R = G = B, become sRGB's in place.
void lq_color_grey_to_srgb(const struct lq_color *color, const struct lq_image *image);

// With INKS. n pixels of four inks become RGB. inverted: 255 is bare paper, as Adobe stores.
void lq_color_inks_to_srgb(const struct lq_color *color, bool inverted, const uint8_t *inks,
                           uint8_t *rgb, int n);

// PNG's gAMA and cHRM as a profile appended to `icc`: chromaticities of
// white, red, green, blue (x, y each), and the exponent from numbers to light; 0: sRGB's curve.
// Nothing is appended when it is sRGB's or makes no sense.
LQ_MUST_CHECK int lq_color_profile(const double xy[8], double gamma, struct lq_buf *icc);

// The same of code points (ITU-T H.273: AVIF's, HEIC's). Curves of high dynamic range read as
// sRGB's.
LQ_MUST_CHECK int lq_color_profile_of_codes(int primaries, int transfer, struct lq_buf *icc);
