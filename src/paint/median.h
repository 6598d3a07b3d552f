// The median of a few numbers. Threads: any. Owner: the caller's memory.
#pragma once

// Sorts count >= 1 values by insertion, so use it for a few dozen at most. If count is even,
// returns the upper of the two middle values.
static inline float lq_median(float *values, int count)
{
    for (int i = 1; i < count; i++) {
        float value = values[i];
        int j = i;
        for (; j > 0 && values[j - 1] > value; j--)
            values[j] = values[j - 1];
        values[j] = value;
    }
    return values[count / 2];
}
