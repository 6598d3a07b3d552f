// Colour profiles (ICC.1) with Little CMS: conversion between a picture's numbers and linear light
// with sRGB primaries, in which polish is mixed. A profile is untrusted input: a broken one is
// ignored.
// Threads: one struct lq_color belongs to one thread at a time. Owner: new/free by the codec.
// Transforms made for a profile are kept until a different profile is set, so a video builds them
// once.
#pragma once

#include <stdbool.h>

#include "image/image.h"

struct lq_color;

enum lq_color_kind {
    LQ_COLOR_SRGB,      // no profile, a broken one, or one equivalent to sRGB
    LQ_COLOR_BOTH_WAYS, // polish can be painted in the picture's own colours
    LQ_COLOR_READ_ONLY, // input-device profile: it only converts from the device's numbers
    LQ_COLOR_GREY,      // one channel
    LQ_COLOR_INKS,      // four inks (CMYK)
};

LQ_MUST_CHECK int lq_color_new(struct lq_color **color);
void lq_color_free(struct lq_color *color);

// Sets the profile and returns its kind, on which the calls below depend.
enum lq_color_kind lq_color_set(struct lq_color *color, const uint8_t *icc, size_t len);

// BOTH_WAYS only. Fills `row` with linear light, clamped to 0..1, from row->count pixels in
// `image`'s format, starting at `pixels`.
void lq_color_read(const struct lq_color *color, const struct lq_image *image,
                   const uint8_t *pixels, const struct lq_rgb_row *row);

// BOTH_WAYS only. Converts linear light to the picture's own numbers, 0..1, in place.
void lq_color_store(const struct lq_color *color, const struct lq_rgb_row *row);

// BOTH_WAYS or READ_ONLY. Writes 8-bit RGB to `srgb`, which has the same size; for READ_ONLY it may
// be the image itself. Alpha is not changed.
void lq_color_to_srgb(const struct lq_color *color, const struct lq_image *image,
                      const struct lq_image *srgb);

// GREY only. Converts grey samples, stored as R = G = B, to sRGB in place.
void lq_color_grey_to_srgb(const struct lq_color *color, const struct lq_image *image);

// INKS only. Converts n pixels of four inks to RGB. inverted: 255 means no ink, as Adobe stores it.
void lq_color_inks_to_srgb(const struct lq_color *color, bool inverted, const uint8_t *inks,
                           uint8_t *rgb, int n);

// Appends to `icc` a profile made from PNG's gAMA and cHRM: chromaticities (x, y) of white, red,
// green and blue, and the exponent from numbers to light (0: sRGB's curve). Appends nothing if the
// result is sRGB or makes no sense.
LQ_MUST_CHECK int lq_color_profile(const double xy[8], double gamma, struct lq_buf *icc);

// The same from code points (ITU-T H.273, as AVIF and HEIC use them). High-dynamic-range curves are
// read as sRGB's.
LQ_MUST_CHECK int lq_color_profile_of_codes(int primaries, int transfer, struct lq_buf *icc);
