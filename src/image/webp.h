// WebP with libwebp: decodes bytes to RGB(A) pixels and colour profile, and encodes them.
//
//   "RIFF" size32 "WEBP"  { name[4] size32 body, padded to an even length } …      little-endian
//   VP8X flags …   ICCP profile   ALPH, "VP8 " or VP8L the picture   EXIF TIFF   ANIM, ANMF a video
//
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include "image/codec.h"
#include "image/stored.h"

// As lq_codec_decode. An animation fails with FORMAT.
LQ_MUST_CHECK int lq_webp_decode(const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);

// As lq_codec_encode_webp.
LQ_MUST_CHECK int lq_webp_encode(const struct lq_image *image, int quality,
                                 const struct lq_buf *icc, struct lq_buf *out,
                                 struct lq_error *err);
