// HEIC by the user's own libheif, which is loaded when the first one comes and never linked with:
// Debian 12's brings an encoder under the GPL along. Without it such a picture is refused (FORMAT),
// and the message says what to install.
// Threads: any. Owner: the caller owns all memory; the library stays loaded.
#pragma once

#include "image/codec.h"

// As lq_codec_decode; libheif turns the picture upright by the container's word.
LQ_MUST_CHECK int lq_heic_decode(const uint8_t *bytes, size_t len, size_t pixels_max,
                                 struct lq_buf *pixels, struct lq_image *image,
                                 struct lq_picture_info *info, struct lq_error *err);
