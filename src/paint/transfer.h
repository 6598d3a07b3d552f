// Converts rows of sRGB samples to linear light and back (IEC 61966-2-1).
// Threads: any once lq_transfer_init has returned. Owner: the caller supplies all memory.
#pragma once

#include "image/image.h"

// Builds the tables at the first call, from any thread.
void lq_transfer_init(void);

// The curve itself, for single values and for tests.
double lq_srgb_decode(double stored);
double lq_srgb_encode(double linear);

// Fills `light` with the pixels starting at (x, y): linear light with sRGB primaries, 0..1,
// converted by the picture's colour profile.
void lq_transfer_read(const struct lq_image *picture, int x, int y,
                      const struct lq_rgb_row *light);

// The same for single pixels at (x[i], y[i]), at most LQ_TRANSFER_PICKS of them.
enum { LQ_TRANSFER_PICKS = 64 };
void lq_transfer_pick(const struct lq_image *picture, const int *x, const int *y,
                      const struct lq_rgb_row *light);

// Writes `light` to the pixels starting at (x, y), only where alpha is not 0; a fourth channel is
// kept.
void lq_transfer_write(const struct lq_image *picture, int x, int y, const uint8_t *alpha,
                       const struct lq_rgb_row *light);

// linear 0..1 (clamped, NaN becomes 0) to stored 0..1.
void lq_transfer_encode(const float *linear, float *stored, int n);
