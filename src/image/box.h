// Mean filters over a square window, in constant time per pixel whatever the window's size.
// Threads: any, on separate memory. Owner: the caller supplies all memory.
#pragma once

// A plane in memory: rows of `width` pixels without gaps between them. Each pixel is `lanes`
// adjacent floats.
struct lq_plane {
    const float *data;
    int width, height; // pixels
    int lanes;         // 1, 2 or 4
};

// Number of scratch floats that lq_box_mean needs for a plane of `width` pixels of `lanes` floats.
static inline int lq_box_scratch(int width, int lanes)
{
    return (width + 1) * lanes;
}

// Sets out(x, y) to the mean over the (2 * radius + 1) square around (x, y), clipped to the plane.
// `out` has the plane's shape and must not overlap it.
void lq_box_mean(const struct lq_plane *plane, float *out, int radius, float *scratch);

// A straightforward implementation of the same filter, for tests.
void lq_box_mean_reference(const struct lq_plane *plane, float *out, int radius);
