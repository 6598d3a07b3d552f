#include "nail/upsample.h"

#include <math.h>
#include <stddef.h>

#include "base/attr.h"

enum { COLUMNS = 64 };

static int clamp_index(int i, int count)
{
    return i < 0 ? 0 : i >= count ? count - 1 : i;
}

struct lq_taps lq_taps_at(float position, int count)
{
    float limit = (float)count + 2.0f;
    float p = position < -3.0f ? -3.0f : position > limit ? limit : position;
    float base = floorf(p), t = p - base, u = 1.0f - t;
    struct lq_taps taps = {.weight = {
        -0.5f * t * u * u,
        1.0f + t * t * (1.5f * t - 2.5f),
        1.0f + u * u * (1.5f * u - 2.5f),
        -0.5f * u * t * t,
    }};
    for (int k = 0; k < 4; k++)
        taps.index[k] = clamp_index((int)base - 1 + k, count);
    return taps;
}

// Taps for several positions of a row, the same for every row of a grid.
struct columns {
    int index[4][COLUMNS];
    float weight[4][COLUMNS];
};

// n of the places, from the one with this number on, in rows of `width` points.
static void place_columns(struct columns *columns, const struct lq_places *places, int from, int n,
                          int width)
{
    for (int i = 0; i < n; i++) {
        struct lq_taps taps =
            lq_taps_at(places->first + (float)(from + i) * places->step, width);
        for (int k = 0; k < 4; k++) {
            columns->index[k][i] = taps.index[k];
            columns->weight[k][i] = taps.weight[k];
        }
    }
}

LQ_HOT static void mix_columns(const struct columns *columns, const float *restrict row,
                               float *restrict out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = row[columns->index[0][i]] * columns->weight[0][i] +
                 row[columns->index[1][i]] * columns->weight[1][i] +
                 row[columns->index[2][i]] * columns->weight[2][i] +
                 row[columns->index[3][i]] * columns->weight[3][i];
}

void lq_upsample_rows(const float *grid, int width, int height, const struct lq_places *places,
                      float *out)
{
    struct columns columns;
    const int n = places->count;
    for (int from = 0; from < n; from += COLUMNS) {
        int some = n - from < COLUMNS ? n - from : COLUMNS;
        place_columns(&columns, places, from, some, width);
        for (int j = 0; j < height; j++)
            mix_columns(&columns, grid + (ptrdiff_t)j * width, out + (ptrdiff_t)j * n + from, some);
    }
}

LQ_HOT static void mix_rows(const float *restrict rows, const struct lq_taps *taps,
                            float *restrict out, int n)
{
    const float *a = rows + (ptrdiff_t)taps->index[0] * n;
    const float *b = rows + (ptrdiff_t)taps->index[1] * n;
    const float *c = rows + (ptrdiff_t)taps->index[2] * n;
    const float *d = rows + (ptrdiff_t)taps->index[3] * n;
    float wa = taps->weight[0], wb = taps->weight[1], wc = taps->weight[2], wd = taps->weight[3];
    for (int i = 0; i < n; i++)
        out[i] = a[i] * wa + b[i] * wb + c[i] * wc + d[i] * wd;
}

void lq_upsample_column(const float *rows, int row_count, float position, float *out, int n)
{
    struct lq_taps taps = lq_taps_at(position, row_count);
    mix_rows(rows, &taps, out, n);
}

LQ_HOT void lq_stretch_row(const float *restrict row, int count, int lanes,
                           const struct lq_places *places, float *restrict out)
{
    const float first = places->first, step = places->step, last = (float)(count - 1);
    const int n = places->count;
    for (int i = 0; i < n; i++) {
        float p = first + (float)i * step;
        p = p > 0.0f ? p : 0.0f; // NaN too
        p = p < last ? p : last;
        int left = (int)p, right = left + (left + 1 < count);
        float t = p - (float)left;
        out[i] = row[left * lanes] + (row[right * lanes] - row[left * lanes]) * t;
    }
}
