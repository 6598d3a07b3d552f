// Numbers kept within bounds. Threads: any. Owner: none, nothing is kept.
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

// A place among pixels: the whole number towards 0, within bounds. What is no number is `least`.
static inline int lq_clamp_to_int(float value, int least, int most)
{
    return value > (float)least ? value < (float)most ? (int)value : most : least;
}
