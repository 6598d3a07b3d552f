// Limits numbers to a range. Threads: any. Owner: nothing is kept.
#pragma once

static inline float lq_clamp(float x, float least, float most)
{
    x = x < least ? least : x;
    return x > most ? most : x;
}

static inline float lq_clamp01(float x)
{
    return lq_clamp(x, 0.0f, 1.0f);
}

// Converts a pixel position to an integer: rounds towards 0, then clamps. NaN becomes `least`.
static inline int lq_clamp_to_int(float value, int least, int most)
{
    return value > (float)least ? value < (float)most ? (int)value : most : least;
}
