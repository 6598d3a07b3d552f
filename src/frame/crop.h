// Encodes a nail's alpha crop for the wire: runs of 0 and of 255, and the soft samples between them
// (docs/PROTOCOL.md). The encoding is lossless; its size is roughly the length of the outline.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// The maximum size for width x height samples: every seven samples may take eight bytes.
static inline size_t lq_crop_bytes_max(int width, int height)
{
    size_t samples = (size_t)width * (size_t)height;
    return samples + samples / 7 + 1;
}

// Writes at most lq_crop_bytes_max bytes; returns their number.
size_t lq_crop_encode(const uint8_t *alpha, size_t stride, int width, int height, uint8_t *out);

// Decodes width x height samples, without gaps between rows. SYNTAX: the code is too short, too
// long, or does not fit.
LQ_MUST_CHECK int lq_crop_decode(const uint8_t *code, size_t len, uint8_t *alpha, int width,
                                 int height);

// Averages each scale x scale block into ceil(width / scale) x ceil(height / scale) samples; what
// lies outside the crop counts as 0.
void lq_crop_shrink(const uint8_t *alpha, size_t stride, int width, int height, int scale,
                    uint8_t *out);
