// AVIF by libavif (with dav1d): bytes to RGB(A) pixels, with the colour profile. Reading only.
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include "image/codec.h"

// As lq_codec_decode, but the pixels are as stored and *orientation says how, by the container's
// own rotation and mirror, as viewers do: EXIF's does not count there. A video: its first picture.
LQ_MUST_CHECK int lq_avif_decode(const uint8_t *bytes, size_t len, size_t pixels_max,
                                 struct lq_buf *pixels, struct lq_image *image,
                                 struct lq_picture_info *info, int *orientation,
                                 struct lq_error *err);
