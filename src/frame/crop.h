// A nail's alpha crop for the wire: runs of 0 and of 255, and the soft samples between them, as
// docs/PROTOCOL.md lays them out. Nothing is lost; a crop costs about what its outline is long.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// The most that width x height samples may take: each eighth byte counts seven.
static inline size_t lq_crop_bytes_max(int width, int height)
{
    size_t samples = (size_t)width * (size_t)height;
    return samples + samples / 7 + 1;
}

// Writes at most lq_crop_bytes_max bytes; returns how many.
size_t lq_crop_encode(const uint8_t *alpha, size_t stride, int width, int height, uint8_t *out);

// Fills width x height samples without gaps between rows. Code that ends early, goes on, or does
// not fit: SYNTAX.
LQ_MUST_CHECK int lq_crop_decode(const uint8_t *code, size_t len, uint8_t *alpha, int width,
                                 int height);

// The mean of each scale x scale block into ceil(width / scale) x ceil(height / scale) samples;
// what lies outside the crop counts as 0.
void lq_crop_shrink(const uint8_t *alpha, size_t stride, int width, int height, int scale,
                    uint8_t *out);
