// PNG with libspng: decodes bytes to RGB(A) pixels and colour profile, and encodes them.
// Threads: any; no state. libspng allocates for each picture, which is acceptable: live frames are
// JPEG.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode.
LQ_MUST_CHECK int lq_png_decode(const struct lq_picture_file *file,
                                struct lq_stored_picture *picture, struct lq_picture_info *info,
                                struct lq_error *err);

// As lq_codec_encode_png.
LQ_MUST_CHECK int lq_png_encode(const struct lq_image *image, const struct lq_buf *icc,
                                struct lq_buf *out, struct lq_error *err);
