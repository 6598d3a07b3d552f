// Mean filters over a square window in constant time a pixel, whatever the window's size.
// Threads: any, on separate memory. Owner: the caller brings all memory.
#pragma once

// Floats of scratch that lq_box_mean needs for a plane of `width` pixels of `lanes` floats.
static inline int lq_box_scratch(int width, int lanes)
{
    return (width + 1) * lanes;
}

// out(x, y) = mean of in over the part of the (2 * radius + 1) square around (x, y) that lies in
// the plane. A pixel is `lanes` floats side by side (1, 2 or 4), rows are width * lanes floats
// apart. out may not overlap in.
void lq_box_mean(const float *in, float *out, int width, int height, int lanes, int radius,
                 float *scratch);

// The same result the plain way, for tests.
void lq_box_mean_reference(const float *in, float *out, int width, int height, int lanes,
                           int radius);
