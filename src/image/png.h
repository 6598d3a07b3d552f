// PNG by libspng: bytes to RGB(A) pixels and back, with the colour profile.
// Threads: any; no state (libspng allocates for each picture; live frames are JPEG).
#pragma once

#include "image/codec.h"

// As lq_codec_decode, but the pixels are as stored and *orientation says how.
LQ_MUST_CHECK int lq_png_decode(const uint8_t *bytes, size_t len, size_t pixels_max,
                                struct lq_buf *pixels, struct lq_image *image,
                                struct lq_picture_info *info, int *orientation,
                                struct lq_error *err);

// As lq_codec_encode_png.
LQ_MUST_CHECK int lq_png_encode(const struct lq_image *image, const struct lq_buf *icc,
                                struct lq_buf *out, struct lq_error *err);
