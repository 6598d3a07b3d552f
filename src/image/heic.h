// HEIC by the user's own libheif, which is loaded when the first one comes and never linked with:
// Debian 12's brings an encoder under the GPL along. Without it such a picture is refused (FORMAT),
// and the message says what to install.
// Threads: any. Owner: the caller owns all memory; the library stays loaded.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode; libheif has turned the picture upright by the container's rotation and
// mirror, so the orientation is left as it was.
LQ_MUST_CHECK int lq_heic_decode(const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);
