#include "engine/f16.h"

#include <string.h>

#include "base/attr.h"

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

LQ_HOT void lq_f16_to_f32(float *restrict out, const void *restrict halves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t in;
        memcpy(&in, (const uint8_t *)halves + 2 * i, sizeof in);
        uint32_t half = in, sign = (half & 0x8000u) << 16;
        // A half's fields at a single's places give a value 2^112 too small, also for subnormals.
        uint32_t bits = bits_of(float_of((half & 0x7fff) << 13) * 0x1p112f);
        bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0; // infinity, NaN
        out[i] = float_of(bits | sign);
    }
}

LQ_HOT void lq_f16_from_f32(void *restrict halves, const float *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(in[i]), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
        uint32_t normal = (size - (112u << 23) + 0xfff + (size >> 13 & 1)) >> 13;
        // Below 2^-14 the last place of a half is 2^-24, like that of a single at 0.5.
        uint32_t small = bits_of(float_of(size) + 0.5f) - bits_of(0.5f);
        uint32_t half = size < 0x38800000 ? small : normal;
        half = half > 0x7c00 || size >= 0x47800000 ? 0x7c00 : half;
        half |= size > 0x7f800000 ? 0x200 : 0;
        uint16_t out = (uint16_t)(half | sign);
        memcpy((uint8_t *)halves + 2 * i, &out, sizeof out);
    }
}
