// Views of pixels in memory.
// Threads: many readers or one writer. Owner: whoever allocated the bytes; a view owns nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_color;

struct lq_image {
    uint8_t *data;    // top left pixel; for depth 16 the samples are host-endian uint16_t
    int width;        // pixels
    int height;       // pixels
    int channels;     // 1 (masks only), 3 (RGB) or 4 (RGBA, alpha not premultiplied)
    int depth;        // bits per sample: 8 or 16
    size_t stride;    // bytes from one row to the next
    const struct lq_color *color; // colour space of the numbers (color.h); NULL: sRGB
};

// A rectangle in a picture, in pixels.
struct lq_pixel_box {
    int x, y, width, height;
};

// A decoded picture that was then painted, only within `parts` (boxes inside it).
struct lq_painted_image {
    const struct lq_image *image;
    const struct lq_pixel_box *parts;
    int part_count;
};

// A row of pixels as three planes of `count` floats; the planes must not overlap.
struct lq_rgb_row {
    float *red, *green, *blue;
    int count;
};

// `count` pixels of a row, starting at `from`.
static inline struct lq_rgb_row lq_rgb_row_part(const struct lq_rgb_row *row, int from, int count)
{
    return (struct lq_rgb_row){row->red + from, row->green + from, row->blue + from, count};
}

static inline size_t lq_image_pixel_bytes(const struct lq_image *image)
{
    return (size_t)image->channels * (size_t)(image->depth / 8);
}

static inline uint8_t *lq_image_row(const struct lq_image *image, int y)
{
    return image->data + (size_t)y * image->stride;
}

// A view of that part, which must lie within the image.
static inline struct lq_image lq_image_part(const struct lq_image *image,
                                            const struct lq_pixel_box *box)
{
    struct lq_image part = *image;
    part.data = lq_image_row(image, box->y) + (size_t)box->x * lq_image_pixel_bytes(image);
    part.width = box->width;
    part.height = box->height;
    return part;
}

// Reserves room in buf for the picture and points `image` at it (rows are 64-byte aligned). Pixels
// are unspecified. Fails with TOO_LARGE if buf->max is exceeded.
LQ_MUST_CHECK int lq_image_alloc(struct lq_image *image, struct lq_buf *buf, int width, int height,
                                 int channels, int depth);

// Checks whether a picture of this size may be decoded: each side from 1 to LQ_PICTURE_SIDE_MAX,
// and at most pixels_max pixels in total. Otherwise CORRUPT or TOO_LARGE.
LQ_MUST_CHECK int lq_image_check_size(uint32_t width, uint32_t height, size_t pixels_max,
                                      struct lq_error *err);
