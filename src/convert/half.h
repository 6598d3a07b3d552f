// IEEE 754 binary16 and binary32, in plain C so that the compiler can vectorise it. Any thread.
#pragma once

#include <stdint.h>
#include <string.h>

static inline float lq_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, body = half & 0x7fffu, bits;
    float value;
    if (body >= 0x7c00u) { // infinity and NaN
        bits = sign | 0x7f800000u | (body & 0x3ffu) << 13;
        memcpy(&value, &bits, 4);
        return value;
    }
    // The exponents' biases differ by 112; a multiplication puts subnormal numbers right too.
    bits = body << 13;
    memcpy(&value, &bits, 4);
    value *= 0x1p112f;
    memcpy(&bits, &value, 4);
    bits |= sign;
    memcpy(&value, &bits, 4);
    return value;
}

// Rounded to the nearest, ties to even; beyond 65504 infinity.
static inline uint16_t lq_float_to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint32_t sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (bits >= 0x47800000u)
        return (uint16_t)(sign | 0x7c00u);
    if (bits < 0x38800000u) { // subnormal: let the adder round
        float shifted;
        memcpy(&shifted, &bits, 4);
        shifted += 0.5f;
        memcpy(&bits, &shifted, 4);
        return (uint16_t)(sign | (bits - 0x3f000000u));
    }
    bits += 0xfffu + (bits >> 13 & 1u);
    return (uint16_t)(sign | ((bits >> 13) - 0x1c000u));
}
