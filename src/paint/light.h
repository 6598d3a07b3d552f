// The scene's light, judged from the picture: how bright a white thing would be, its tint, and
// where it comes from. Threads: any. Owner: plain data.
#pragma once

#include "image/image.h"

struct lq_light {
    float exposure;  // linear brightness of a white surface in this scene, about 0.45..1
    float tint[3];   // the light's colour, luminance 1, held close to neutral
    float dir_x, dir_y; // towards the light, in the picture's plane; length below 1
};

// Looks at about two thousand pixels spread over the picture.
void lq_light_judge(struct lq_light *light, const struct lq_image *picture);
