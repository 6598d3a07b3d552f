// The middle of a few numbers. Threads: any. Owner: the caller's memory.
#pragma once

// Of count >= 1 values, which it sorts by insertion: for some dozens at most. Of an even count the
// upper of the two in the middle.
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
