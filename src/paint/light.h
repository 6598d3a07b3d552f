// The scene's light: how bright a white surface at the nails would be, its tint, and its direction.
// Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/nail.h"
#include "paint/shade.h"
#include "paint/surround.h"

struct lq_light {
    float exposure;  // linear brightness of a white surface in this light, 0.04..1.6
    float tint[3];   // the light's colour, luminance 1
    float dir_x, dir_y; // towards the light, in the picture's plane; length below 1
};

// Estimates exposure and tint from the skin behind each nail's cuticle, from the bare nails, and
// from white or grey things around them (see light.c). The direction is set to a default, above
// left. `fits` belong to the nails, in the same order. Reads at most 64 pixels per nail.
void lq_light_estimate(struct lq_light *light, const struct lq_image *picture,
                       const struct lq_surround *surround, const struct lq_nails *nails,
                       const struct lq_shade_fit *fits);
