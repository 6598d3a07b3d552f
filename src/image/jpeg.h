// JPEG by libjpeg-turbo: bytes to RGB pixels and back, with the colour profile.
// Threads: one struct lq_jpeg belongs to one thread at a time. Owner: init/release by the codec.
#pragma once

#include "image/codec.h"
#include "image/color.h"
#include "image/jpeg_decoder.h"
#include "image/jpeg_repaint.h"
#include "image/stored.h"

struct lq_jpeg {
    void *encoder;         // tjhandle, made at first use; keeps nothing of a picture
    struct lq_buf scratch; // four-colour pixels, or a JPEG being made
    struct lq_jpeg_decoder decoder;   // of the last picture, where its coefficients stay
    struct lq_jpeg_repaint_room room;
};

void lq_jpeg_init(struct lq_jpeg *jpeg);
void lq_jpeg_release(struct lq_jpeg *jpeg);

// As lq_codec_decode. Four inks (CMYK) come as sRGB, by their profile where info asks for it.
LQ_MUST_CHECK int lq_jpeg_decode(struct lq_jpeg *jpeg, struct lq_color *color,
                                 const struct lq_picture_file *file,
                                 struct lq_stored_picture *picture, struct lq_picture_info *info,
                                 struct lq_error *err);

// What the last picture left behind, coefficients above all, is given back.
void lq_jpeg_forget(struct lq_jpeg *jpeg);

// As lq_codec_repaint_jpeg, but NOT_FOUND where the picture is to be encoded whole.
LQ_MUST_CHECK int lq_jpeg_repaint_last(struct lq_jpeg *jpeg,
                                       const struct lq_painted_image *painted,
                                       const struct lq_buf *icc, struct lq_buf *out,
                                       struct lq_error *err);

// As lq_codec_encode_jpeg.
LQ_MUST_CHECK int lq_jpeg_encode(struct lq_jpeg *jpeg, const struct lq_image *image, int quality,
                                 const struct lq_buf *icc, struct lq_buf *out,
                                 struct lq_error *err);
