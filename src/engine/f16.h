// Converts half precision (IEEE 754 binary16) to single and back, rounding to nearest even.
// Threads: any; no state. Source and target must not overlap; halves need no alignment.
#pragma once

#include <stddef.h>
#include <stdint.h>

void lq_f16_to_f32(float *out, const void *halves, size_t count);
void lq_f16_from_f32(void *halves, const float *in, size_t count);
