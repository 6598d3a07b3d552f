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

static inline __attribute__((always_inline)) void read_row(const void *pixels, int channels,
                                                           int depth,
                                                           const struct lq_rgb_row *light)
{
    const uint8_t *bytes = pixels;
    const uint16_t *words = pixels;
    float *restrict red = light->red, *restrict green = light->green;
    float *restrict blue = light->blue;
    const int n = light->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        int at = i * channels;
        red[i] = depth == 8 ? decode_8[bytes[at]] : decode_16[words[at]];
        green[i] = depth == 8 ? decode_8[bytes[at + 1]] : decode_16[words[at + 1]];
        blue[i] = depth == 8 ? decode_8[bytes[at + 2]] : decode_16[words[at + 2]];
    }
}

LQ_HOT static void read_rgb(const uint8_t *pixels, const struct lq_rgb_row *light)
{
    read_row(pixels, 3, 8, light);
}

static void read_stored(const struct lq_image *picture, const uint8_t *pixels,
                        const struct lq_rgb_row *light)
{
    if (picture->color)
        lq_color_read(picture->color, picture, pixels, light);
    else if (picture->depth == 8 && picture->channels == 3)
        read_rgb(pixels, light);
    else
        read_row(pixels, picture->channels, picture->depth, light);
}

static uint8_t *pixel_at(const struct lq_image *picture, int x, int y)
{
    return lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
}

void lq_transfer_read(const struct lq_image *picture, int x, int y,
                      const struct lq_rgb_row *light)
{
    read_stored(picture, pixel_at(picture, x, y), light);
}

void lq_transfer_pick(const struct lq_image *picture, const int *x, const int *y,
                      const struct lq_rgb_row *light)
{
    enum { PIXEL_BYTES_MAX = 8 };
    uint16_t side_by_side[LQ_TRANSFER_PICKS * PIXEL_BYTES_MAX / 2]; // aligned for 16-bit samples
    uint8_t *to = (uint8_t *)side_by_side;
    size_t bytes = lq_image_pixel_bytes(picture);
    for (int i = 0; i < light->count; i++)
        memcpy(to + (size_t)i * bytes, pixel_at(picture, x[i], y[i]), bytes);
    read_stored(picture, to, light);
}

// Above its linear part the curve is 1.055 x^(5/12) - 0.055. With t the fourth root of x, a minimax
// polynomial in t approximates it to 1e-6, a fifteenth of a 16-bit step.
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

// Writes rows of stored values (0..1) to pixels where alpha is not 0.
static void store_row(void *pixels, int channels, int depth, const uint8_t *restrict alpha,
                      const struct lq_rgb_row *stored)
{
    uint8_t *bytes = pixels;
    uint16_t *words = pixels;
    const float *restrict red = stored->red, *restrict green = stored->green;
    const float *restrict blue = stored->blue;
    const int n = stored->count;
    const float most = depth == 8 ? 255.0f : 65535.0f;
    LQ_IVDEP
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

// The same for live frames: 8 bits, three channels. The loop is scalar; the compiler respects
// `restrict` only on parameters.
LQ_HOT static void store_rgb(uint8_t *restrict bytes, const uint8_t *restrict alpha,
                             const float *restrict red, const float *restrict green,
                             const float *restrict blue, int n)
{
    for (int i = 0; i < n; i++) {
        int r = (int)(red[i] * 255.0f + 0.5f), g = (int)(green[i] * 255.0f + 0.5f);
        int b = (int)(blue[i] * 255.0f + 0.5f);
        bytes[3 * i] = alpha[i] ? (uint8_t)r : bytes[3 * i];
        bytes[3 * i + 1] = alpha[i] ? (uint8_t)g : bytes[3 * i + 1];
        bytes[3 * i + 2] = alpha[i] ? (uint8_t)b : bytes[3 * i + 2];
    }
}

static void encode_row(const struct lq_color *color, const struct lq_rgb_row *light,
                       const struct lq_rgb_row *stored)
{
    const float *from[3] = {light->red, light->green, light->blue};
    float *to[3] = {stored->red, stored->green, stored->blue};
    for (int k = 0; k < 3; k++) {
        if (color)
            memcpy(to[k], from[k], (size_t)light->count * sizeof(float));
        else
            lq_transfer_encode(from[k], to[k], light->count);
    }
    if (color)
        lq_color_store(color, stored);
}

void lq_transfer_write(const struct lq_image *picture, int x, int y, const uint8_t *alpha,
                       const struct lq_rgb_row *light)
{
    enum { BLOCK = 256 };
    uint8_t *row = pixel_at(picture, x, y);
    float planes[3][BLOCK];
    for (int from = 0; from < light->count; from += BLOCK) {
        int left = light->count - from, count = left < BLOCK ? left : BLOCK;
        struct lq_rgb_row block = lq_rgb_row_part(light, from, count);
        struct lq_rgb_row stored = {planes[0], planes[1], planes[2], count};
        uint8_t *pixels = row + (size_t)from * lq_image_pixel_bytes(picture);
        encode_row(picture->color, &block, &stored);
        if (picture->depth == 8 && picture->channels == 3)
            store_rgb(pixels, alpha + from, planes[0], planes[1], planes[2], count);
        else
            store_row(pixels, picture->channels, picture->depth, alpha + from, &stored);
    }
}
