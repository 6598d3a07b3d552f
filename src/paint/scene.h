// The light in a picture and on each of its nails: what a painter must know beside the look.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/shade.h"

struct lq_scene {
    struct lq_light light;
    float level;                             // brightness of the middle nail, linear
    struct lq_shade_fit fits[LQ_NAILS_MAX];  // one a nail, in the nails' order
};

void lq_scene_judge(struct lq_scene *scene, const struct lq_image *picture,
                    const struct lq_nails *nails);
