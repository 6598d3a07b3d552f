// AVIF by libavif (with dav1d): bytes to RGB(A) pixels, with the colour profile. Reading only.
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode. The orientation is by the container's own rotation and mirror, as viewers do:
// EXIF's does not count there. A video: its first picture.
LQ_MUST_CHECK int lq_avif_decode(const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);
