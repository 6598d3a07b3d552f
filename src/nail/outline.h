// A nail's outline as one smooth closed curve. In a frame in which the nail's moments are those of
// a circle, the outline is a radius by angle: a Fourier series of low order, fitted to where the
// levels have it, each place weighted by how steep they are there, and then drawn to the picture's
// own edge beside it. It has no corner, notch or hook, and where the picture's border cuts the nail
// it goes on beyond.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stdbool.h>

enum { LQ_OUTLINE_ORDER = 8, LQ_OUTLINE_TERMS = 2 * LQ_OUTLINE_ORDER + 1 };

// The same width x height pixels, row by row.
struct lq_outline_field {
    float *levels;      // 0.5 is the outline, more is nail
    const float *guide; // by the picture: about 1 on the nail, 0 beside it (guide.h)
    int width, height;
    bool cut[4];        // the picture ends at this side: left, top, right, bottom
    float untrusted;       // pixels from such a side in which the levels are not to be trusted
};

struct lq_outline {
    float center_x, center_y;      // in the field; pixel (0, 0) spans 0..1
    float xu, yu, yv;              // pixels from the frame: x = xu u, y = yu u + yv v
    float terms[LQ_OUTLINE_TERMS]; // of the radius: 1, cos, sin, cos of twice the angle, …
};

// False where no such curve fits the levels.
bool lq_outline_fit(struct lq_outline *outline, const struct lq_outline_field *field);

// The radius at the angle whose cosine and sine these are, in the frame's units.
float lq_outline_radius(const struct lq_outline *outline, float cosine, float sine);

// Writes over the levels: 0.5 on the curve, more inside.
void lq_outline_draw(const struct lq_outline *outline, const struct lq_outline_field *field);
