// What shiny nails mirror: the picture itself, small and blurred, and its peak brightness.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "paint/noise.h"

enum { LQ_SURROUND_SIDE = 8, LQ_SURROUND_CELLS = LQ_SURROUND_SIDE * LQ_SURROUND_SIDE };

// Cells lie in rows from the picture's top left corner; each is the mean over its part.
struct lq_surround {
    float brightest;                    // linear luminance that a hundredth of the picture exceeds
    float white[3];                     // colour of what may be white or grey, luminance 1
    float trust;                        // 0..1: share of such pixels in the picture's light
    float level[LQ_SURROUND_CELLS];     // brightness relative to the picture's mean, with contrast
    float hue[3][LQ_SURROUND_CELLS];    // colour, luminance 1
};

// Where a nail looks in the surround: a position in cells from the top left corner, and the cells
// per unit of a reflection's direction, across the nail and along it.
struct lq_outlook {
    float x, y, wx, wy, ux, uy;
};

// What a nail mirrors, sampled at five directions across and three along, so that rows need no
// lookups.
struct lq_glimpse {
    float inverse_step; // reciprocal of the distance between directions across; along it is 1
    float node[5][3];
    float hue[3];       // … and the colour at the nail's own position
};

// Reads a grid of 48 x 48 pixels.
void lq_surround_survey(struct lq_surround *surround, const struct lq_image *picture);

// A surround that is equally bright and grey everywhere.
extern const struct lq_surround lq_surround_plain;

// For a nail at (x, y) in the picture whose axis is a unit vector.
struct lq_outlook lq_outlook_of(const struct lq_image *picture, float x, float y, float axis_x,
                                float axis_y);

void lq_glimpse_take(struct lq_glimpse *glimpse, const struct lq_surround *surround,
                     const struct lq_outlook *outlook, float step);

// The weight of a node at that distance, in steps.
static inline float lq_glimpse_share(float off)
{
    return lq_smooth01(lq_clamp01(1.0f - (off < 0.0f ? -off : off)));
}

static inline float lq_glimpse_read(const struct lq_glimpse *g, float across, float along)
{
    float x = lq_clamp01(0.5f + 0.25f * across * g->inverse_step) * 4.0f - 2.0f;
    float y = lq_clamp01(0.5f + 0.5f * along) * 2.0f - 1.0f;
    float low = lq_glimpse_share(y + 1.0f), high = lq_glimpse_share(y - 1.0f);
    float middle = 1.0f - low - high;
#define COLUMN(i) (g->node[i][0] * low + g->node[i][1] * middle + g->node[i][2] * high)
    return COLUMN(0) * lq_glimpse_share(x + 2.0f) + COLUMN(1) * lq_glimpse_share(x + 1.0f) +
           COLUMN(2) * lq_glimpse_share(x) + COLUMN(3) * lq_glimpse_share(x - 1.0f) +
           COLUMN(4) * lq_glimpse_share(x - 2.0f);
#undef COLUMN
}

// Reflects a position at the edges, repeatedly, into the range in which it has four cells around
// it.
static inline float lq_surround_fold(float cells)
{
    float turns = cells * (0.5f / LQ_SURROUND_SIDE);
    float t = 2.0f * (turns - (float)lq_floor(turns));
    float at = (t > 1.0f ? 2.0f - t : t) * LQ_SURROUND_SIDE - 0.5f;
    at = at > 0.0f ? at : 0.0f;
    return at < LQ_SURROUND_SIDE - 1.001f ? at : LQ_SURROUND_SIDE - 1.001f;
}

// Interpolates one plane of cells smoothly at a folded position.
static inline float lq_surround_read(const float *cells, float x, float y)
{
    int32_t ix = (int32_t)x, iy = (int32_t)y, at = iy * LQ_SURROUND_SIDE + ix;
    float fx = lq_smooth01(x - (float)ix), fy = lq_smooth01(y - (float)iy);
    float top = cells[at] + (cells[at + 1] - cells[at]) * fx;
    float low = cells[at + LQ_SURROUND_SIDE] +
                (cells[at + LQ_SURROUND_SIDE + 1] - cells[at + LQ_SURROUND_SIDE]) * fx;
    return top + (low - top) * fy;
}
