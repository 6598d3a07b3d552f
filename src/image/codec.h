// Decodes and encodes pictures: JPEG with libjpeg-turbo, PNG with libspng, WebP with libwebp;
// decodes AVIF with libavif and HEIC with libheif (heic.h). The orientation comes from EXIF, or
// from the container in AVIF and HEIC.
// Threads: one codec belongs to one thread at a time. Owner: init/release by the caller.
// A codec keeps its library handles and scratch memory, so our code allocates nothing for live
// frames. libjpeg-turbo allocates and frees about 17 small blocks per decode and encode.
#pragma once

#include <stdbool.h>

#include "image/image.h"

enum lq_picture_kind { LQ_PICTURE_UNKNOWN, LQ_PICTURE_JPEG, LQ_PICTURE_PNG, LQ_PICTURE_WEBP,
                       LQ_PICTURE_AVIF, LQ_PICTURE_HEIC };

struct lq_codec;

// Facts about a decoded file, kept so that it can be written back as the same kind.
struct lq_picture_info {
    // set by the caller
    bool may_shrink;      // decode a JPEG or WebP over the pixel limit at a smaller size
    int repaint_quality;  // a JPEG of about this quality may be repainted (below); 0: never
    // Chooses the part of a picture of this size to decode, which must lie within it. False, or a
    // NULL pointer: all of it. Only an upright RGB or grey JPEG in one scan is decoded in part: the
    // picture is then black around the part, and damage below its last row is not noticed.
    bool (*choose_part)(void *context, int width, int height, struct lq_pixel_box *part);
    void *part_context;
    // set by the decoder
    int shrunk;           // by how much the picture was reduced: 1, 2, 4 or 8
    bool is_part;         // only the chosen part was decoded
    int stored_width, stored_height; // in the file, before any reduction
    enum lq_picture_kind kind;
    int orientation;      // EXIF 1..8 as stored; the decoded pixels are already upright
    int source_channels;  // 1 grey, 2 grey+alpha, 3 RGB or YCbCr, 4 RGBA or CMYK
    int source_depth;     // bits per sample in the file
    struct lq_buf icc;    // the pixels' colour profile (may be empty); owned by this struct
};

void lq_picture_info_init(struct lq_picture_info *info);
void lq_picture_info_release(struct lq_picture_info *info);

// A picture's file in memory, and the maximum number of pixels.
struct lq_picture_file {
    const uint8_t *bytes;
    size_t len;
    size_t pixels_max;
};

// Recognises the format by its first bytes, never by a file name.
enum lq_picture_kind lq_picture_sniff(const uint8_t *bytes, size_t len);

LQ_MUST_CHECK int lq_codec_new(struct lq_codec **codec, struct lq_error *err);
void lq_codec_free(struct lq_codec *codec);

// Decodes to upright RGB (or RGBA if the file has alpha) with 8 bits (16 for a 16-bit PNG).
// `pixels` is resized as needed and owns the memory that *image points into.
// Dimensions are checked against LQ_PICTURE_SIDE_MAX and file->pixels_max before decoding:
// TOO_LARGE. An unsupported format fails with FORMAT, and the text names the format (foreign.h). A
// truncated or damaged file fails with CORRUPT; half a picture is never returned.
// If info is not NULL, the file's colour profile is read: image->color then belongs to the codec
// and is valid until its next decode. Pixels with a grey, ink or read-only profile are converted to
// sRGB, without a profile. If info is NULL, all pixels are taken as sRGB.
LQ_MUST_CHECK int lq_codec_decode(struct lq_codec *codec, const struct lq_picture_file *file,
                                  struct lq_buf *pixels, struct lq_image *image,
                                  struct lq_picture_info *info, struct lq_error *err);

// Checks whether a picture of this size may be decoded. With may_shrink, sets info->shrunk to the
// reduction needed (size.c).
LQ_MUST_CHECK int lq_picture_check_size(uint32_t width, uint32_t height, size_t pixels_max,
                                        struct lq_picture_info *info, struct lq_error *err);

// Appends a baseline JPEG (4:2:0 below quality 92, 4:4:4 from 92) to `out`, which may already hold
// a message header. Takes 8-bit RGB or RGBA, or 1 channel of grey.
// icc may be NULL; a profile for another colour space than the image's (ink, grey) is ignored.
LQ_MUST_CHECK int lq_codec_encode_jpeg(struct lq_codec *codec, const struct lq_image *image,
                                       int quality, const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);

// Does the same for the last decoded pixels; pass info->repaint_quality as `quality`. If the file
// was a sequential 4:2:0 JPEG of about this quality and most of it is unchanged, everything outside
// the painted parts keeps its original coefficients; otherwise the whole picture is encoded. Call
// it at most once per decode.
LQ_MUST_CHECK int lq_codec_repaint_jpeg(struct lq_codec *codec,
                                        const struct lq_painted_image *painted, int quality,
                                        const struct lq_buf *icc, struct lq_buf *out,
                                        struct lq_error *err);

// Appends a PNG with the image's number of channels (1, 3 or 4) and depth (8 or 16) to `out`.
LQ_MUST_CHECK int lq_codec_encode_png(struct lq_codec *codec, const struct lq_image *image,
                                      const struct lq_buf *icc, struct lq_buf *out,
                                      struct lq_error *err);

// Appends a lossy WebP to `out`: RGB or RGBA, 8 bits, at most 16383 pixels per side (TOO_LARGE).
LQ_MUST_CHECK int lq_codec_encode_webp(struct lq_codec *codec, const struct lq_image *image,
                                       int quality, const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);
