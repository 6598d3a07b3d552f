// Splits a bare nail into slow shading (light on its curve), fast detail (ridges) and highlights.
// Light is measured by a pixel's brightest channel: it hardly changes from the pink nail bed to the
// white free edge and half-moon, so these vanish under polish while shadows remain.
// Threads: any, on separate memory. Owner: the caller supplies all memory.
#pragma once

#include "image/image.h"
#include "nail/nail.h"

// log(brightness) over the nail as a quadratic polynomial in nail coordinates: u along, w across,
// both about -1..1 at the outline.
struct lq_shade_fit {
    float c[6];    // 1, u, w, u * u, u * w, w * w
    float level;   // mean brightness, linear
    float grey;    // darkest channel over brightest one, of the nail without highlights
    float bed[3];  // mean colour, linear, without highlights
    float slope_x, slope_y; // how brightness grows over the picture's plane, per half width
};

// Maps picture points to nail coordinates: u = ux * x + uy * y + u0, likewise w.
struct lq_nail_map {
    float ux, uy, u0, wx, wy, w0;
};

struct lq_nail_map lq_nail_map_of(const struct lq_nail *nail);

// A row of pixels in nail coordinates: the centre of the first pixel, and the step to the next.
struct lq_nail_row {
    float u, w, du, dw;
    int count; // pixels
};

// The row of `count` pixels whose first pixel is centred at the picture's point (x, y).
static inline struct lq_nail_row lq_nail_row_at(const struct lq_nail_map *map, float x, float y,
                                                int count)
{
    return (struct lq_nail_row){map->ux * x + map->uy * y + map->u0,
                                map->wx * x + map->wy * y + map->w0, map->ux, map->wx, count};
}

// Fits the polynomial robustly: highlights, cuticle and dirt are outliers of little weight. Reads
// at most about 320 pixels.
void lq_shade_fit(struct lq_shade_fit *fit, const struct lq_image *picture,
                  const struct lq_nail *nail);

// The part of a coverage row that is not zero; nothing outside it is painted. count 0: none.
struct lq_span {
    int from, count;
};

// Computes the spans of all rows of the nail; there are nail->crop.height of them.
void lq_span_all(const struct lq_nail *nail, struct lq_span *spans);

// Planes of nail->crop.width x nail->crop.height floats.
struct lq_shade {
    float *red, *green, *blue; // the photo, linear
    float *cover;              // alpha 0..1
    float *own;                // … of the natural nail; may be the same plane as cover
    float *slow;               // slow shading; 1 = the nail's mean
    float *detail;             // fast detail; 1 = none
    float *shine;              // highlight, linear, to be added
    float *rim;                // 0 at the outline, 1 well inside
    float *pairs, *means;      // scratch, 2 floats a pixel
    float *scratch;            // lq_box_scratch(width, 2) floats
    const struct lq_span *spans;  // of the nail's rows
};

// Fills the planes within the spans of nail->alpha's rows; elsewhere they are unchanged. own: the
// natural nail's alpha in the same crop if the nail is extended, else NULL. Beyond it there is no
// natural nail: the slow shading is extrapolated, without detail or highlights.
void lq_shade_split(struct lq_shade *shade, const struct lq_shade_fit *fit,
                    const struct lq_image *picture, const struct lq_nail *nail,
                    const uint8_t *own);
