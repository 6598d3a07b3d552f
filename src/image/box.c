#include "image/box.h"

#include <string.h>

#include "base/attr.h"

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
    return a > b ? a : b;
}

LQ_HOT static void row_add(float *restrict sums, const float *restrict row, int n)
{
    for (int i = 0; i < n; i++)
        sums[i] += row[i];
}

LQ_HOT static void row_subtract(float *restrict sums, const float *restrict row, int n)
{
    for (int i = 0; i < n; i++)
        sums[i] -= row[i];
}

// One place further where the window may reach over either end of the row.
static inline __attribute__((always_inline)) void step(const float *restrict sums,
                                                       float *restrict out, int width, int lanes,
                                                       int radius, int rows, int x, float *window)
{
    int enter = x + radius, leave = x - radius - 1;
    int columns = min_int(enter, width - 1) - max_int(leave, -1);
    float scale = 1.0f / (float)(columns * rows);
    for (int k = 0; k < lanes; k++) {
        window[k] += enter < width ? sums[enter * lanes + k] : 0.0f;
        window[k] -= leave >= 0 ? sums[leave * lanes + k] : 0.0f;
        out[x * lanes + k] = window[k] * scale;
    }
}

// Slides the window along one row of column sums. `lanes` is a constant where this is inlined, so
// that the lanes of a pixel become one vector and share the chain of additions.
static inline __attribute__((always_inline)) void slide(const float *restrict sums,
                                                        float *restrict out, int width, int lanes,
                                                        int radius, int rows)
{
    float window[4] = {0};
    int first = min_int(radius + 1, width), last = max_int(width - radius, first); // whole windows
    for (int x = 0; x < min_int(radius, width); x++)
        for (int k = 0; k < lanes; k++)
            window[k] += sums[x * lanes + k];
    for (int x = 0; x < first; x++)
        step(sums, out, width, lanes, radius, rows, x, window);
    float scale = 1.0f / (float)((2 * radius + 1) * rows);
    for (int x = first; x < last; x++)
        for (int k = 0; k < lanes; k++) { // one addition a turn waits for the turn before
            window[k] += sums[(x + radius) * lanes + k] - sums[(x - radius - 1) * lanes + k];
            out[x * lanes + k] = window[k] * scale;
        }
    for (int x = last; x < width; x++)
        step(sums, out, width, lanes, radius, rows, x, window);
}

static void slide_1(const float *sums, float *out, int width, int radius, int rows)
{
    slide(sums, out, width, 1, radius, rows);
}

static void slide_2(const float *sums, float *out, int width, int radius, int rows)
{
    slide(sums, out, width, 2, radius, rows);
}

static void slide_4(const float *sums, float *out, int width, int radius, int rows)
{
    slide(sums, out, width, 4, radius, rows);
}

void lq_box_mean(const float *in, float *out, int width, int height, int lanes, int radius,
                 float *scratch)
{
    void (*slide_row)(const float *, float *, int, int, int) =
        lanes == 1 ? slide_1 : lanes == 2 ? slide_2 : slide_4;
    int n = width * lanes;
    memset(scratch, 0, (size_t)n * sizeof(float));
    for (int y = 0; y < min_int(radius, height); y++)
        row_add(scratch, in + (size_t)y * (size_t)n, n);
    for (int y = 0; y < height; y++) {
        int enter = y + radius, leave = y - radius - 1;
        if (enter < height)
            row_add(scratch, in + (size_t)enter * (size_t)n, n);
        if (leave >= 0)
            row_subtract(scratch, in + (size_t)leave * (size_t)n, n);
        int rows = min_int(enter, height - 1) - max_int(leave, -1);
        slide_row(scratch, out + (size_t)y * (size_t)n, width, radius, rows);
    }
}

void lq_box_mean_reference(const float *in, float *out, int width, int height, int lanes,
                           int radius)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int k = 0; k < lanes; k++) {
                double sum = 0.0;
                int count = 0;
                for (int v = max_int(y - radius, 0); v <= min_int(y + radius, height - 1); v++)
                    for (int u = max_int(x - radius, 0); u <= min_int(x + radius, width - 1); u++) {
                        sum += (double)in[((size_t)v * (size_t)width + (size_t)u) * (size_t)lanes +
                                          (size_t)k];
                        count++;
                    }
                out[((size_t)y * (size_t)width + (size_t)x) * (size_t)lanes + (size_t)k] =
                    (float)(sum / count);
            }
}
