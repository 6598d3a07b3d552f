// Pictures in and out of bytes: JPEG by libjpeg-turbo, PNG by libspng, orientation by EXIF.
// Threads: one codec belongs to one thread at a time. Owner: init/release by the caller.
// A codec keeps its library handles and scratch memory, so that live frames allocate nothing of
// ours; libjpeg-turbo itself takes and gives back some 17 small blocks for a decode and an encode.
#pragma once

#include "image/image.h"

enum lq_picture_kind { LQ_PICTURE_UNKNOWN, LQ_PICTURE_JPEG, LQ_PICTURE_PNG };

struct lq_codec;

// What a decoded file was, kept so that it can be written back as the same kind.
struct lq_picture_info {
    enum lq_picture_kind kind;
    int orientation;      // EXIF 1..8 as found; the pixels handed out are already upright
    int source_channels;  // 1 grey, 2 grey+alpha, 3 RGB or YCbCr, 4 RGBA or CMYK
    int source_depth;     // bits a sample in the file
    struct lq_buf icc;    // the pixels' colour profile (may be empty); owned by this struct
};

void lq_picture_info_init(struct lq_picture_info *info);
void lq_picture_info_release(struct lq_picture_info *info);

// "image/jpeg" bytes, "image/png" bytes, or neither: by their first bytes, never by a name.
enum lq_picture_kind lq_picture_sniff(const uint8_t *bytes, size_t len);

LQ_MUST_CHECK int lq_codec_new(struct lq_codec **codec, struct lq_error *err);
void lq_codec_free(struct lq_codec *codec);

// Decodes to upright RGB (or RGBA when the file has alpha), 8 bits (16 when a PNG has 16),
// into `pixels` (resized as needed; it owns the memory that *image then points into).
// Dimensions are checked against LQ_PICTURE_SIDE_MAX and pixels_max before anything is decoded:
// TOO_LARGE. Neither JPEG nor PNG: FORMAT. Truncated or damaged: CORRUPT (never half a picture).
// With info the file's colour profile is read: image->color is then the codec's, until it decodes
// again. Pixels of grey, ink or read-only profiles come as sRGB, without a profile. NULL: all is sRGB.
LQ_MUST_CHECK int lq_codec_decode(struct lq_codec *codec, const uint8_t *bytes, size_t len,
                                  size_t pixels_max, struct lq_buf *pixels, struct lq_image *image,
                                  struct lq_picture_info *info, struct lq_error *err);

// Appends a baseline JPEG (4:2:0 below quality 92, 4:4:4 from there) to `out`, after whatever it
// holds already (head-room for a message header). 8-bit RGB/RGBA, or 1 channel grey.
// icc may be NULL; a profile for another colour space than the image's (ink, grey) is left out.
LQ_MUST_CHECK int lq_codec_encode_jpeg(struct lq_codec *codec, const struct lq_image *image,
                                       int quality, const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);

// Appends a PNG of the image's own channels (1, 3 or 4) and depth (8 or 16) to `out`.
LQ_MUST_CHECK int lq_codec_encode_png(struct lq_codec *codec, const struct lq_image *image,
                                      const struct lq_buf *icc, struct lq_buf *out,
                                      struct lq_error *err);
