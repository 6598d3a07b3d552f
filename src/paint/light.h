// The scene's light: how bright a white surface would be where the nails are, its tint, and where
// it comes from. Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"
#include "nail/nail.h"
#include "paint/shade.h"
#include "paint/surround.h"

struct lq_light {
    float exposure;  // linear brightness of a white surface in this light, 0.04..1.15
    float tint[3];   // the light's colour, luminance 1
    float dir_x, dir_y; // towards the light, in the picture's plane; length below 1
};

// Estimates exposure and tint from the skin behind each nail's cuticle and from the bare nails,
// and from what is white or grey about them (light.c says how); dir is set to a prior from above
// left. `fits` are the nails' own, in order. Reads at most 64 pixels a nail.
void lq_light_estimate(struct lq_light *light, const struct lq_image *picture,
                       const struct lq_surround *surround, const struct lq_nails *nails,
                       const struct lq_shade_fit *fits);
