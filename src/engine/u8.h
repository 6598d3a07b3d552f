// A picture's numbers back to the bytes that they were made from, for servers that take bytes.
// Threads: any; no state. Source and target may not overlap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// byte = number * scale + bias, by channel: rounded, and held to 0..255.
struct lq_u8_rule {
    bool planes; // one channel after the other, else pixel by pixel
    float scale[3], bias[3];
};

// count: numbers in all, a multiple of 3. What is no number becomes 0.
void lq_u8_from_f32(uint8_t *out, const float *in, size_t count, const struct lq_u8_rule *rule);
