// Converts an input tensor's numbers back to the picture's bytes, for servers that take bytes.
// Threads: any; no state. Source and target must not overlap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// byte = number * scale + bias, per channel, rounded and clamped to 0..255.
struct lq_u8_rule {
    bool planes; // one channel after the other; else pixel by pixel
    float scale[3], bias[3];
};

// count: total of numbers, a multiple of 3. NaN becomes 0.
void lq_u8_from_f32(uint8_t *out, const float *in, size_t count, const struct lq_u8_rule *rule);
