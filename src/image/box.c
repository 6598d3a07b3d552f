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

// Moves the window by one pixel, where it may extend beyond either end of the row.
static inline __attribute__((always_inline)) void move_window(const float *restrict sums,
                                                              int width, int lanes, int radius,
                                                              int x, float *window)
{
    int enter = x + radius, leave = x - radius - 1;
    for (int k = 0; k < lanes; k++) {
        window[k] += enter < width ? sums[enter * lanes + k] : 0.0f;
        window[k] -= leave >= 0 ? sums[leave * lanes + k] : 0.0f;
    }
}

// Number of the row's pixels in the window at x.
static inline int columns_at(int width, int radius, int x)
{
    return min_int(x + radius, width - 1) - max_int(x - radius - 1, -1);
}

static inline __attribute__((always_inline)) void store_mean(const float *window, int lanes,
                                                             int pixels, float *restrict out)
{
    float scale = 1.0f / (float)pixels;
    for (int k = 0; k < lanes; k++)
        out[k] = window[k] * scale;
}

// Slides the window along one row of column sums. `lanes` is a constant after inlining, so that a
// pixel's lanes become one vector, with one chain of additions for all of them.
static inline __attribute__((always_inline)) void slide(const float *restrict sums,
                                                        float *restrict out, int width, int lanes,
                                                        int radius, int rows)
{
    float window[4] = {0};
    int first = min_int(radius + 1, width), last = max_int(width - radius, first); // inside
    for (int x = 0; x < min_int(radius, width); x++)
        for (int k = 0; k < lanes; k++)
            window[k] += sums[x * lanes + k];
    for (int x = 0; x < first; x++) {
        move_window(sums, width, lanes, radius, x, window);
        store_mean(window, lanes, columns_at(width, radius, x) * rows, out + x * lanes);
    }
    float scale = 1.0f / (float)((2 * radius + 1) * rows);
    for (int x = first; x < last; x++)
        for (int k = 0; k < lanes; k++) { // the dependency chain is one addition per pixel
            window[k] += sums[(x + radius) * lanes + k] - sums[(x - radius - 1) * lanes + k];
            out[x * lanes + k] = window[k] * scale;
        }
    for (int x = last; x < width; x++) {
        move_window(sums, width, lanes, radius, x, window);
        store_mean(window, lanes, columns_at(width, radius, x) * rows, out + x * lanes);
    }
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

void lq_box_mean(const struct lq_plane *plane, float *out, int radius, float *scratch)
{
    const float *in = plane->data;
    int width = plane->width, height = plane->height, n = width * plane->lanes;
    void (*slide_row)(const float *, float *, int, int, int) =
        plane->lanes == 1 ? slide_1 : plane->lanes == 2 ? slide_2 : slide_4;
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

// The mean for one lane of one pixel, without any shortcut.
static float mean_at(const struct lq_plane *plane, int x, int y, int lane, int radius)
{
    double sum = 0.0;
    int count = 0;
    for (int v = max_int(y - radius, 0); v <= min_int(y + radius, plane->height - 1); v++)
        for (int u = max_int(x - radius, 0); u <= min_int(x + radius, plane->width - 1); u++) {
            size_t pixel = (size_t)v * (size_t)plane->width + (size_t)u;
            sum += (double)plane->data[pixel * (size_t)plane->lanes + (size_t)lane];
            count++;
        }
    return (float)(sum / count);
}

void lq_box_mean_reference(const struct lq_plane *plane, float *out, int radius)
{
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            for (int lane = 0; lane < plane->lanes; lane++)
                *out++ = mean_at(plane, x, y, lane, radius);
}
