// JPEG with libjpeg-turbo: decodes bytes to RGB pixels and colour profile, and encodes them.
// Threads: one struct lq_jpeg belongs to one thread at a time. Owner: init/release by the codec.
#pragma once

#include "image/codec.h"
#include "image/color.h"
#include "image/jpeg_decoder.h"
#include "image/jpeg_repaint.h"
#include "image/stored.h"

struct lq_jpeg {
    void *encoder;         // tjhandle, created at first use; holds no picture data
    struct lq_buf scratch; // four-colour pixels, or a JPEG while it is written
    struct lq_jpeg_decoder decoder;   // of the last picture, whose coefficients it may keep
    struct lq_jpeg_repaint_room room;
};

void lq_jpeg_init(struct lq_jpeg *jpeg);
void lq_jpeg_release(struct lq_jpeg *jpeg);

// As lq_codec_decode. Four-ink (CMYK) pixels are converted to sRGB, by their profile if info is
// given.
LQ_MUST_CHECK int lq_jpeg_decode(struct lq_jpeg *jpeg, struct lq_color *color,
                                 const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);

// Frees what the last picture left behind, mainly its coefficients.
void lq_jpeg_forget(struct lq_jpeg *jpeg);

// As lq_codec_repaint_jpeg, but fails with NOT_FOUND if the whole picture must be encoded.
LQ_MUST_CHECK int lq_jpeg_repaint_last(struct lq_jpeg *jpeg,
                                       const struct lq_painted_image *painted,
                                       const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);

// As lq_codec_encode_jpeg.
LQ_MUST_CHECK int lq_jpeg_encode(struct lq_jpeg *jpeg, const struct lq_image *image, int quality,
                                 const struct lq_buf *icc, struct lq_buf *out,
                                 struct lq_error *err);
