// Interpolates rows of a coarse grid at the picture's pixels (cubic convolution; Keys, 1981).
// Threads: any, on separate memory. Owner: the caller supplies all memory.
#pragma once

// Positions along a row: number i is first + i * step, in grid points.
struct lq_places {
    float first, step;
    int count;
};

// A pixel's position between grid points, as four taps.
struct lq_taps {
    int index[4];
    float weight[4];
};

// Taps for `position` (in grid points) in a grid of `count` points; edge points repeat.
struct lq_taps lq_taps_at(float position, int count);

// Interpolates each of a grid's rows of `width` points at n places: out[j * n + i] = cubic through
// row j at place i.
void lq_upsample_rows(const float *grid, int width, int height, const struct lq_places *places,
                      float *out);

// out[i] = cubic through the column i of `rows` (row_count rows of n floats) at `position`.
void lq_upsample_column(const float *rows, int row_count, float position, float *out, int n);

// out[i] = linear interpolation of the row at position i. A point is every `lanes`-th of the row's
// `count` floats.
void lq_stretch_row(const float *row, int count, int lanes, const struct lq_places *places,
                    float *out);
