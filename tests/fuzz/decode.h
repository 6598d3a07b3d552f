// For the picture targets: decodes as the server does and reads every pixel of the result.
// Threads: one. Owner: fuzz_decode owns everything that it creates.
#pragma once

#include "fuzz/fuzz.h"
#include "image/codec.h"

enum {
    // Enough for every code path; a larger picture would only make each try slower.
    FUZZ_PIXELS_MAX = 256 * 1024,
    FUZZ_PIXEL_BYTES_MAX = FUZZ_PIXELS_MAX * 8,
};

static inline void fuzz_decode(const uint8_t *bytes, size_t len)
{
    struct lq_codec *codec;
    struct lq_picture_info info;
    struct lq_image image;
    struct lq_buf pixels;
    struct lq_error error;
    FUZZ_CHECK(lq_codec_new(&codec, &error) == LQ_OK);
    lq_picture_info_init(&info);
    lq_buf_init(&pixels, FUZZ_PIXEL_BYTES_MAX);
    int status = lq_codec_decode(codec, &(struct lq_picture_file){bytes, len, FUZZ_PIXELS_MAX},
                                 &pixels, &image, &info, &error);
    info.may_shrink = status == LQ_ERR_TOO_LARGE;
    if (info.may_shrink)
        status = lq_codec_decode(codec, &(struct lq_picture_file){bytes, len, FUZZ_PIXELS_MAX},
                                 &pixels, &image, &info, &error);
    if (status == LQ_OK) {
        FUZZ_CHECK((size_t)image.width * (size_t)image.height <= FUZZ_PIXELS_MAX);
        FUZZ_CHECK(info.orientation >= 1 && info.orientation <= 8);
        size_t row = (size_t)image.width * (size_t)image.channels * (size_t)image.depth / 8;
        for (int y = 0; y < image.height; y++)
            fuzz_touch(image.data + (size_t)y * (size_t)image.stride, row);
        fuzz_touch(info.icc.data, info.icc.len);
    }
    lq_buf_release(&pixels);
    lq_picture_info_release(&info);
    lq_codec_free(codec);
}
