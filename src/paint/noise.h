// Noise that is fixed to the nail: random numbers of integer cells in nail coordinates. It uses
// only 32-bit integer arithmetic and plain floats, so that GLSL ES 3.00 computes the same bits.
// Threads: any; no state.
#pragma once

#include <stdint.h>

#include "base/clamp.h"

// Hashes a cell to a well mixed 32-bit number (multiply and shift in the manner of C. Wellons'
// "hash prospector", constants of lowbias32).
static inline uint32_t lq_cell_hash(int32_t x, int32_t y, uint32_t seed)
{
    uint32_t h = (uint32_t)x * 0x8da6b343u + (uint32_t)y * 0xd8163841u + seed * 0xcb1ab31fu;
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    return h ^ h >> 16;
}

// `bits` bits of h, starting at bit `at`, as 0..1.
static inline float lq_hash_part(uint32_t h, int at, int bits)
{
    uint32_t mask = (1u << bits) - 1u;
    return (float)(int32_t)(h >> at & mask) * (1.0f / (float)mask);
}

static inline float lq_smooth01(float t)
{
    return t * t * (3.0f - 2.0f * t);
}

// Rounds towards minus infinity, for |x| below 2^30.
static inline int32_t lq_floor(float x)
{
    int32_t i = (int32_t)x;
    return i - (x < (float)i);
}

// Value noise, 0..1: interpolates smoothly between random numbers at the corners of unit cells.
static inline float lq_value_noise(float x, float y, uint32_t seed)
{
    int32_t ix = lq_floor(x), iy = lq_floor(y);
    float fx = lq_smooth01(x - (float)ix), fy = lq_smooth01(y - (float)iy);
    float a = lq_hash_part(lq_cell_hash(ix, iy, seed), 0, 16);
    float b = lq_hash_part(lq_cell_hash(ix + 1, iy, seed), 0, 16);
    float c = lq_hash_part(lq_cell_hash(ix, iy + 1, seed), 0, 16);
    float d = lq_hash_part(lq_cell_hash(ix + 1, iy + 1, seed), 0, 16);
    float low = a + (b - a) * fx, high = c + (d - c) * fx;
    return low + (high - low) * fy;
}
