#include "nail/box.h"

#include <stddef.h>
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

LQ_HOT static void row_exchange(float *restrict sums, const float *restrict enter,
                                const float *restrict leave, int n)
{
    for (int i = 0; i < n; i++)
        sums[i] += enter[i] - leave[i];
}

// Rows are worked on in whole vectors, so that no loop has a remainder: what is worked out beyond a
// row's end, from whatever lies there in the scratch, is never used.
enum { LANES = 16 };

static inline int whole(int n)
{
    return (n + LANES - 1) & ~(LANES - 1);
}

// The sums of all windows of a row at once, by doubling: from sums of 1, 2, 4, … pixels each window
// is put together as its width's binary digits say. No turn waits for the one before, as it would in
// a window that slides. `padded` has half a window of zeros on either side.
LQ_HOT static void row_windows(const float *restrict padded, float *restrict windows,
                               float *restrict even, float *restrict odd, int n, int lanes,
                               int radius)
{
    int room = n + 2 * radius * lanes, run = lanes, at = lanes;
    int most = whole(n);
    for (int i = 0; i < most; i++)
        windows[i] = padded[i];
    const float *from = padded;
    float *to = even;
    for (int left = radius; left > 0; left >>= 1) {
        room -= run;
        int count = whole(room);
        LQ_IVDEP
        for (int i = 0; i < count; i++)
            to[i] = from[i] + from[i + run];
        run *= 2;
        if (left & 1) {
            LQ_IVDEP
            for (int i = 0; i < most; i++)
                windows[i] += to[at + i];
            at += run;
        }
        from = to;
        to = to == even ? odd : even;
    }
}

LQ_HOT static void row_means(const float *restrict windows, const float *restrict shares,
                             float scale, float *restrict out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = windows[i] * shares[i] * scale;
}

// One over the pixels of each window in its row: fewer where it reaches over an end.
static void fill_shares(float *shares, int width, int lanes, int radius)
{
    for (int x = 0; x < width; x++) {
        int columns = min_int(x + radius, width - 1) - max_int(x - radius, 0) + 1;
        for (int k = 0; k < lanes; k++)
            shares[x * lanes + k] = 1.0f / (float)columns;
    }
}

void lq_box_mean(const float *in, float *out, int width, int height, int lanes, int radius,
                 float *scratch)
{
    int n = width * lanes, reach = min_int(radius, width - 1);
    int room = whole(n + 2 * reach * lanes) + LANES;
    float *even = scratch + room, *odd = even + room, *windows = odd + room;
    float *shares = windows + whole(n), *sums = scratch + reach * lanes;
    memset(scratch, 0, (size_t)room * sizeof(float));
    fill_shares(shares, width, lanes, reach);
    for (int y = 0; y < min_int(radius, height); y++)
        row_add(sums, in + (size_t)y * (size_t)n, n);
    for (int y = 0; y < height; y++) {
        int enter = y + radius, leave = y - radius - 1;
        const float *entering = in + (ptrdiff_t)enter * n, *leaving = in + (ptrdiff_t)leave * n;
        if (enter < height && leave >= 0)
            row_exchange(sums, entering, leaving, n);
        else if (enter < height)
            row_add(sums, entering, n);
        else if (leave >= 0)
            row_subtract(sums, leaving, n);
        int rows = min_int(enter, height - 1) - max_int(leave, -1);
        row_windows(scratch, windows, even, odd, n, lanes, reach);
        row_means(windows, shares, 1.0f / (float)rows, out + (size_t)y * (size_t)n, n);
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
