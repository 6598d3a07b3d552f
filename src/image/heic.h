// Decodes HEIC with the user's own libheif, which is loaded at the first HEIC file and never
// linked: Debian 12's package pulls in an encoder under the GPL. Without libheif decoding fails
// with FORMAT, and the message says what to install.
// Threads: any. Owner: the caller owns all memory; the library stays loaded.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode. libheif already applies the container's rotation and mirror, so the
// orientation is left unchanged.
LQ_MUST_CHECK int lq_heic_decode(const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);
