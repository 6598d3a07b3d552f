// Finishes: how a nail's light becomes polish. One model, one recipe each: adding a finish is
// adding a row to the table in finish.c.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/look.h"
#include "paint/shade.h"

// What is the same for a whole nail.
struct lq_coat {
    float pigment[3];    // linear albedo
    float light[3];      // the scene's light on this nail: exposure and tint
    float opacity;       // 0..1
    float texture;       // 0..1
    float kept;          // how much of the nail's own highlight is kept
    float added;         // strength of the finish's own highlight
    float sun_u, sun_w;  // where that highlight lies, in nail coordinates
    float stretch;       // 1; more makes the highlight shorter along the nail
};

// One row of planes, and the row's place in nail coordinates.
struct lq_coat_row {
    const float *red, *green, *blue, *cover, *slow, *detail, *shine, *rim;
    float u, w, du, dw;  // at the first pixel's centre, and from one pixel to the next
    int count;
};

// Fills out with the composited row, linear light: polish over the photo by cover.
void lq_finish_row(enum lq_finish finish, const struct lq_coat *coat,
                   const struct lq_coat_row *row, float *red, float *green, float *blue);
