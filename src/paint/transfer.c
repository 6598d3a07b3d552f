#include "paint/transfer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "image/color.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static float decode_8[256], decode_16[65536];

double lq_srgb_decode(double stored)
{
    return stored <= 0.04045 ? stored / 12.92 : pow((stored + 0.055) / 1.055, 2.4);
}

double lq_srgb_encode(double linear)
{
    return linear <= 0.0031308 ? linear * 12.92 : 1.055 * pow(linear, 1.0 / 2.4) - 0.055;
}

static void build(void)
{
    for (int i = 0; i < 256; i++)
        decode_8[i] = (float)lq_srgb_decode(i / 255.0);
    for (int i = 0; i < 65536; i++)
        decode_16[i] = (float)lq_srgb_decode(i / 65535.0);
}

void lq_transfer_init(void)
{
    pthread_once(&once, build);
}

static inline __attribute__((always_inline)) void read_row(const void *row, int channels,
                                                           int depth, int n, float *restrict red,
                                                           float *restrict green,
                                                           float *restrict blue)
{
    const uint8_t *bytes = row;
    const uint16_t *words = row;
    for (int i = 0; i < n; i++) {
        int at = i * channels;
        red[i] = depth == 8 ? decode_8[bytes[at]] : decode_16[words[at]];
        green[i] = depth == 8 ? decode_8[bytes[at + 1]] : decode_16[words[at + 1]];
        blue[i] = depth == 8 ? decode_8[bytes[at + 2]] : decode_16[words[at + 2]];
    }
}

LQ_HOT static void read_rgb(const uint8_t *row, int n, float *red, float *green, float *blue)
{
    read_row(row, 3, 8, n, red, green, blue);
}

static void read_stored(const struct lq_image *picture, const uint8_t *row, int n, float *red,
                        float *green, float *blue)
{
    if (picture->color)
        lq_color_read(picture->color, picture, row, n, red, green, blue);
    else if (picture->depth == 8 && picture->channels == 3)
        read_rgb(row, n, red, green, blue);
    else
        read_row(row, picture->channels, picture->depth, n, red, green, blue);
}

static const uint8_t *pixel_at(const struct lq_image *picture, int x, int y)
{
    return lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
}

void lq_transfer_read(const struct lq_image *picture, int x, int y, int n, float *red,
                      float *green, float *blue)
{
    read_stored(picture, pixel_at(picture, x, y), n, red, green, blue);
}

void lq_transfer_pick(const struct lq_image *picture, const int *x, const int *y, int n,
                      float *red, float *green, float *blue)
{
    enum { PIXEL_BYTES_MAX = 8 };
    uint16_t side_by_side[LQ_TRANSFER_PICKS * PIXEL_BYTES_MAX / 2]; // as 16-bit samples need it
    uint8_t *to = (uint8_t *)side_by_side;
    size_t bytes = lq_image_pixel_bytes(picture);
    for (int i = 0; i < n; i++)
        memcpy(to + (size_t)i * bytes, pixel_at(picture, x[i], y[i]), bytes);
    read_stored(picture, to, n, red, green, blue);
}

// Above its straight foot the curve is 1.055 x^(5/12) - 0.055: with t the fourth root of x a power
// of t that a polynomial (fitted to the largest error) follows to 1e-6, a fifteenth of a 16-bit
// step.
LQ_HOT void lq_transfer_encode(const float *restrict linear, float *restrict stored, int n)
{
    for (int i = 0; i < n; i++) {
        float x = linear[i] > 0.0f ? linear[i] : 0.0f;
        x = x < 1.0f ? x : 1.0f;
        float t = sqrtf(sqrtf(x));
        float curve = -0.0762081072f;
        curve = curve * t + 0.394703925f;
        curve = curve * t - 0.898396254f;
        curve = curve * t + 1.20913422f;
        curve = curve * t - 1.15588677f;
        curve = curve * t + 1.46152294f;
        curve = curve * t + 0.12357638f;
        curve = curve * t - 0.0584466271f;
        stored[i] = x > 0.0031308f ? curve : x * 12.92f;
    }
}

static inline __attribute__((always_inline)) void store_row(void *row, int channels, int depth,
                                                            int n, const uint8_t *restrict alpha,
                                                            const float *restrict red,
                                                            const float *restrict green,
                                                            const float *restrict blue)
{
    uint8_t *bytes = row;
    uint16_t *words = row;
    const float most = depth == 8 ? 255.0f : 65535.0f;
    for (int i = 0; i < n; i++) {
        int at = i * channels;
        int r = (int)(red[i] * most + 0.5f), g = (int)(green[i] * most + 0.5f);
        int b = (int)(blue[i] * most + 0.5f);
        if (depth == 8) {
            bytes[at] = alpha[i] ? (uint8_t)r : bytes[at];
            bytes[at + 1] = alpha[i] ? (uint8_t)g : bytes[at + 1];
            bytes[at + 2] = alpha[i] ? (uint8_t)b : bytes[at + 2];
        } else {
            words[at] = alpha[i] ? (uint16_t)r : words[at];
            words[at + 1] = alpha[i] ? (uint16_t)g : words[at + 1];
            words[at + 2] = alpha[i] ? (uint16_t)b : words[at + 2];
        }
    }
}

LQ_HOT static void store_rgb(uint8_t *restrict row, int n, const uint8_t *restrict alpha,
                             const float *red, const float *green, const float *blue)
{
    store_row(row, 3, 8, n, alpha, red, green, blue);
}

enum { BLOCK = 256 };

static void encode_block(const struct lq_color *color, const float *red, const float *green,
                         const float *blue, float stored[3][BLOCK], int n)
{
    const float *planes[3] = {red, green, blue};
    for (int k = 0; k < 3; k++) {
        if (color)
            memcpy(stored[k], planes[k], (size_t)n * sizeof(float));
        else
            lq_transfer_encode(planes[k], stored[k], n);
    }
    if (color)
        lq_color_store(color, n, stored[0], stored[1], stored[2]);
}

void lq_transfer_write(const struct lq_image *picture, int x, int y, int n, const uint8_t *alpha,
                       const float *red, const float *green, const float *blue)
{
    uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    float stored[3][BLOCK];
    for (int from = 0; from < n; from += BLOCK) {
        int count = n - from < BLOCK ? n - from : BLOCK;
        uint8_t *pixels = row + (size_t)from * lq_image_pixel_bytes(picture);
        encode_block(picture->color, red + from, green + from, blue + from, stored, count);
        if (picture->depth == 8 && picture->channels == 3)
            store_rgb(pixels, count, alpha + from, stored[0], stored[1], stored[2]);
        else
            store_row(pixels, picture->channels, picture->depth, count, alpha + from, stored[0],
                      stored[1], stored[2]);
    }
}
