// Decodes AVIF with libavif (and dav1d): bytes to RGB(A) pixels and colour profile. It does not
// encode.
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode. The orientation comes from the container's rotation and mirror, as in other
// viewers; AVIF ignores EXIF's. Of a video the first picture is decoded.
LQ_MUST_CHECK int lq_avif_decode(const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);
