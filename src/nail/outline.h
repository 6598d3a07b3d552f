// A nail's outline as one smooth closed curve. In coordinates in which the nail's moments are those
// of a circle, the outline is a radius as a function of angle: a low-order Fourier series. It is
// fitted to the outline in the levels, each point weighted by how steep the levels are there, and
// then moved to the nearby edge in the picture. The curve has no corners, notches or hooks and is
// not hollow at the tip. It continues beyond the picture's border where that cuts the nail.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stdbool.h>

enum { LQ_OUTLINE_ORDER = 8, LQ_OUTLINE_TERMS = 2 * LQ_OUTLINE_ORDER + 1 };

// Several planes of the same width x height pixels, row by row.
struct lq_outline_field {
    float *levels;      // 0.5 is the outline; above it is nail
    const float *guide; // from the picture: about 1 on the nail, 0 beside it (guide.h)
    int width, height;
    bool cut[4];        // whether the picture ends at this side: left, top, right, bottom
    float untrusted;       // pixels from such a side in which the levels are unreliable
};

struct lq_outline {
    float center_x, center_y;      // in the field; pixel (0, 0) spans 0..1
    float xu, yu, yv;              // pixels from the frame: x = xu u, y = yu u + yv v
    float terms[LQ_OUTLINE_TERMS]; // of the radius: 1, cos, sin, cos of twice the angle, …
};

// False if no such curve fits the levels.
bool lq_outline_fit(struct lq_outline *outline, const struct lq_outline_field *field);

// The radius, in the curve's own coordinates, at the angle with this cosine and sine.
float lq_outline_radius(const struct lq_outline *outline, float cosine, float sine);

// Overwrites the levels: 0.5 on the curve, more inside.
void lq_outline_draw(const struct lq_outline *outline, const struct lq_outline_field *field);
