#include "paint/transfer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

// The encoding curve between 2^-9 and 1 as straight pieces, 64 to each octave: the top bits of a
// float are its index. Below, the curve is a straight line of its own. Off by less than 1e-5, a
// sixth of a 16-bit step at most.
enum {
    PIECE_BITS = 17,                  // low bits of a float within one piece
    FIRST_PIECE = (127 - 9) << 6,     // 2^-9
    PIECES = 9 * 64 + 1,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static float decode_8[256], decode_16[65536];
static float piece_base[PIECES], piece_rise[PIECES];

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
    for (int i = 0; i < PIECES; i++) {
        double octave = ldexp(1.0, -9 + i / 64), from = octave * (1.0 + (i % 64) / 64.0);
        double base = lq_srgb_encode(from), end = lq_srgb_encode(from + octave / 64.0);
        piece_base[i] = (float)base;
        piece_rise[i] = (float)((end - base) / (1 << PIECE_BITS));
    }
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

void lq_transfer_read(const struct lq_image *picture, int x, int y, int n, float *red,
                      float *green, float *blue)
{
    const uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 8 && picture->channels == 3)
        read_rgb(row, n, red, green, blue);
    else
        read_row(row, picture->channels, picture->depth, n, red, green, blue);
}

LQ_HOT void lq_transfer_encode(const float *restrict linear, float *restrict stored, int n)
{
    for (int i = 0; i < n; i++) {
        float x = linear[i] > 0.0f ? linear[i] : 0.0f;
        x = x < 1.0f ? x : 1.0f;
        float curved = x > 0.001953125f ? x : 0.001953125f;
        uint32_t bits;
        memcpy(&bits, &curved, sizeof(bits));
        uint32_t piece = (bits >> PIECE_BITS) - FIRST_PIECE;
        float along = (float)(int32_t)(bits & ((1u << PIECE_BITS) - 1));
        float y = piece_base[piece] + piece_rise[piece] * along;
        stored[i] = x > 0.001953125f ? y : x * 12.92f;
    }
}

static void store_8(uint8_t *row, int channels, int n, const uint8_t *alpha, const float *stored,
                    int channel)
{
    for (int i = 0; i < n; i++)
        if (alpha[i])
            row[i * channels + channel] = (uint8_t)(stored[i] * 255.0f + 0.5f);
}

static void store_16(uint16_t *row, int channels, int n, const uint8_t *alpha,
                     const float *stored, int channel)
{
    for (int i = 0; i < n; i++)
        if (alpha[i])
            row[i * channels + channel] = (uint16_t)(stored[i] * 65535.0f + 0.5f);
}

void lq_transfer_write(const struct lq_image *picture, int x, int y, int n, const uint8_t *alpha,
                       const float *red, const float *green, const float *blue)
{
    enum { BLOCK = 256 };
    const float *planes[3] = {red, green, blue};
    uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    float stored[BLOCK];
    for (int from = 0; from < n; from += BLOCK) {
        int count = n - from < BLOCK ? n - from : BLOCK;
        void *pixels = row + (size_t)from * lq_image_pixel_bytes(picture);
        for (int k = 0; k < 3; k++) {
            lq_transfer_encode(planes[k] + from, stored, count);
            if (picture->depth == 8)
                store_8(pixels, picture->channels, count, alpha + from, stored, k);
            else
                store_16(pixels, picture->channels, count, alpha + from, stored, k);
        }
    }
}
