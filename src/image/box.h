// Mean filters over a square window in constant time a pixel, whatever the window's size.
// Threads: any, on separate memory. Owner: the caller brings all memory.
#pragma once

// A plane in memory: rows of `width` pixels, one behind the other without gaps, a pixel being
// `lanes` floats side by side.
struct lq_plane {
    const float *data;
    int width, height; // pixels
    int lanes;         // 1, 2 or 4
};

// Floats of scratch that lq_box_mean needs for a plane of `width` pixels of `lanes` floats.
static inline int lq_box_scratch(int width, int lanes)
{
    return (width + 1) * lanes;
}

// out(x, y) = mean over the part of the (2 * radius + 1) square around (x, y) that lies in the
// plane, in a plane of the same shape, which may not overlap it.
void lq_box_mean(const struct lq_plane *plane, float *out, int radius, float *scratch);

// The same result the plain way, for tests.
void lq_box_mean_reference(const struct lq_plane *plane, float *out, int radius);
