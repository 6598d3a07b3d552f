// Pictures in and out of bytes: JPEG by libjpeg-turbo, PNG by libspng, WebP by libwebp; AVIF by
// libavif and HEIC by libheif (heic.h) in only. Orientation by EXIF or the container's word.
// Threads: one codec belongs to one thread at a time. Owner: init/release by the caller.
// A codec keeps its library handles and scratch memory, so that live frames allocate nothing of
// ours; libjpeg-turbo itself takes and gives back some 17 small blocks for a decode and an encode.
#pragma once

#include <stdbool.h>

#include "image/image.h"

enum lq_picture_kind { LQ_PICTURE_UNKNOWN, LQ_PICTURE_JPEG, LQ_PICTURE_PNG, LQ_PICTURE_WEBP,
                       LQ_PICTURE_AVIF, LQ_PICTURE_HEIC };

struct lq_codec;

// What a decoded file was, kept so that it can be written back as the same kind.
struct lq_picture_info {
    // asked
    bool may_shrink;      // a JPEG or WebP beyond the limit on pixels is decoded smaller
    int repaint_quality;  // a JPEG of about this quality may be repainted (below); 0: no
    // Which part of a picture of this size is wanted, within it. False: all. NULL: all. The part of
    // an upright RGB or grey JPEG in one scan is decoded alone; around it the picture is black, and
    // damage behind its last row goes unseen.
    bool (*choose_part)(void *context, int width, int height, struct lq_pixel_box *part);
    void *part_context;
    // done
    int shrunk;           // 1, 2, 4 or 8: by how much it was
    bool is_part;         // the part was decoded alone
    int stored_width, stored_height; // in the file, before that
    enum lq_picture_kind kind;
    int orientation;      // EXIF 1..8 as found; the pixels handed out are already upright
    int source_channels;  // 1 grey, 2 grey+alpha, 3 RGB or YCbCr, 4 RGBA or CMYK
    int source_depth;     // bits a sample in the file
    struct lq_buf icc;    // the pixels' colour profile (may be empty); owned by this struct
};

void lq_picture_info_init(struct lq_picture_info *info);
void lq_picture_info_release(struct lq_picture_info *info);

// A picture's file in memory, and how many pixels it may have.
struct lq_picture_file {
    const uint8_t *bytes;
    size_t len;
    size_t pixels_max;
};

// By the first bytes, never by a name.
enum lq_picture_kind lq_picture_sniff(const uint8_t *bytes, size_t len);

LQ_MUST_CHECK int lq_codec_new(struct lq_codec **codec, struct lq_error *err);
void lq_codec_free(struct lq_codec *codec);

// Decodes to upright RGB (or RGBA when the file has alpha), 8 bits (16 when a PNG has 16),
// into `pixels` (resized as needed; it owns the memory that *image then points into).
// Dimensions are checked against LQ_PICTURE_SIDE_MAX and file->pixels_max before anything is
// decoded: TOO_LARGE. None of the kinds: FORMAT, and the text names what it is (foreign.h).
// Truncated or damaged: CORRUPT (never half a picture).
// With info the file's colour profile is read: image->color is then the codec's, until it decodes
// again. Pixels of grey, ink or read-only profiles come as sRGB, without a profile. NULL: all is
// taken for sRGB.
LQ_MUST_CHECK int lq_codec_decode(struct lq_codec *codec, const struct lq_picture_file *file,
                                  struct lq_buf *pixels, struct lq_image *image,
                                  struct lq_picture_info *info, struct lq_error *err);

// Whether a picture of this size may be decoded; with may_shrink info->shrunk says at what size
// (size.c).
LQ_MUST_CHECK int lq_picture_check_size(uint32_t width, uint32_t height, size_t pixels_max,
                                        struct lq_picture_info *info, struct lq_error *err);

// Appends a baseline JPEG (4:2:0 below quality 92, 4:4:4 from there) to `out`, after whatever it
// holds already (head-room for a message header). 8-bit RGB/RGBA, or 1 channel grey.
// icc may be NULL; a profile for another colour space than the image's (ink, grey) is left out.
LQ_MUST_CHECK int lq_codec_encode_jpeg(struct lq_codec *codec, const struct lq_image *image,
                                       int quality, const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);

// The same for the pixels that were decoded last, with info->repaint_quality as `quality`. What
// lies outside of the painted parts is kept as it came, coefficient by coefficient, where the file
// was a sequential 4:2:0 JPEG of about this quality, and most of it is unchanged; else all is
// encoded. Once for each decoding.
LQ_MUST_CHECK int lq_codec_repaint_jpeg(struct lq_codec *codec,
                                        const struct lq_painted_image *painted, int quality,
                                        const struct lq_buf *icc, struct lq_buf *out,
                                        struct lq_error *err);

// Appends a PNG of the image's own channels (1, 3 or 4) and depth (8 or 16) to `out`.
LQ_MUST_CHECK int lq_codec_encode_png(struct lq_codec *codec, const struct lq_image *image,
                                      const struct lq_buf *icc, struct lq_buf *out,
                                      struct lq_error *err);

// Appends a lossy WebP to `out`: RGB or RGBA, 8 bits, at most 16383 pixels a side (TOO_LARGE).
LQ_MUST_CHECK int lq_codec_encode_webp(struct lq_codec *codec, const struct lq_image *image,
                                       int quality, const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);
