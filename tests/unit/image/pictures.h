// Pictures and file surgery for the image layer's tests. Everything is static inline; no state.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "image/codec.h"
#include "image/image.h"
#include "unit/unit.h"

// A smooth picture with a different slope in each channel, so that no two of its corners, rows or
// channels can be mistaken for each other.
static inline void picture_make(struct lq_image *image, struct lq_buf *buf, int width, int height,
                                int channels)
{
    assert_ok(lq_image_alloc(image, buf, width, height, channels, 8));
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int values[4] = {255 * x / width, 255 * y / height, 128, 40 + 200 * x / width};
            for (int c = 0; c < channels; c++)
                lq_image_row(image, y)[x * channels + c] = (uint8_t)values[c];
        }
    }
}

// Created by codec_set_up and released by codec_tear_down, cmocka's group functions. A file that
// uses them defines `fixture`; info may be NULL.
struct codec_fixture {
    struct lq_codec **codec;
    struct lq_buf *const *bufs;
    size_t count;
    struct lq_picture_info *info;
    struct lq_error *error;
};

static const struct codec_fixture fixture;

static inline int codec_set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < fixture.count; i++)
        lq_buf_init(fixture.bufs[i], 64 << 20);
    if (fixture.info)
        lq_picture_info_init(fixture.info);
    return lq_codec_new(fixture.codec, fixture.error);
}

static inline int codec_tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < fixture.count; i++)
        lq_buf_release(fixture.bufs[i]);
    if (fixture.info)
        lq_picture_info_release(fixture.info);
    lq_codec_free(*fixture.codec);
    return 0;
}

static inline int picture_difference(const struct lq_image *a, const struct lq_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->depth, b->depth);
    int largest = 0;
    for (int y = 0; y < a->height; y++) {
        for (int i = 0; i < a->width * (int)lq_image_pixel_bytes(a); i++) {
            int difference = abs(lq_image_row(a, y)[i] - lq_image_row(b, y)[i]);
            largest = difference > largest ? difference : largest;
        }
    }
    return largest;
}

// The offset of the first JPEG segment with this code (of its FF byte).
static inline size_t jpeg_find(const struct lq_buf *file, int code)
{
    size_t at = 2;
    while (at + 4 <= file->len && file->data[at] == 0xff && file->data[at + 1] != code)
        at += 2 + ((size_t)file->data[at + 2] << 8 | file->data[at + 3]);
    assert_true(at + 4 <= file->len && file->data[at] == 0xff);
    return at;
}

static inline void file_insert(struct lq_buf *file, size_t at, const void *bytes, size_t len)
{
    size_t tail = file->len - at;
    assert_ok(lq_buf_resize(file, file->len + len));
    memmove(file->data + at + len, file->data + at, tail);
    memcpy(file->data + at, bytes, len);
}

static inline void file_copy(struct lq_buf *to, const struct lq_buf *from)
{
    lq_buf_clear(to);
    assert_ok(lq_buf_append(to, from->data, from->len));
}

enum { EXIF_TIFF_LEN = 26 };

// A TIFF block whose one entry is the orientation; big-endian as cameras write it, or little.
static inline void exif_tiff(uint8_t tiff[EXIF_TIFF_LEN], int orientation, int little)
{
    static const uint8_t big_endian[EXIF_TIFF_LEN] = {
        'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t little_endian[EXIF_TIFF_LEN] = {
        'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    memcpy(tiff, little ? little_endian : big_endian, EXIF_TIFF_LEN);
    tiff[little ? 18 : 19] = (uint8_t)orientation;
}

// A stand-in for a colour profile: only its length and the colour space in its head matter here.
static inline void icc_make(struct lq_buf *icc, size_t len, const char *space)
{
    uint32_t seed = 7;
    assert_ok(lq_buf_resize(icc, len));
    for (size_t i = 0; i < len; i++)
        icc->data[i] = (uint8_t)unit_random(&seed);
    memcpy(icc->data + 16, space, 4);
}
