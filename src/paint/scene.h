// The light in a picture and on each of its nails: what a painter must know beside the look.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/shade.h"
#include "paint/surround.h"

struct lq_scene {
    struct lq_light light;
    float level;                             // brightness of the middle nail, linear
    struct lq_surround surround;             // what shiny nails mirror
    struct lq_shade_fit fits[LQ_NAILS_MAX];  // one a nail, in the nails' order
};

// surround: as it was surveyed before, where the picture is known in part; NULL: it is surveyed.
void lq_scene_judge(struct lq_scene *scene, const struct lq_image *picture,
                    const struct lq_nails *nails, const struct lq_surround *surround);

// The light on one nail against the hand's: bare nails of a hand are much alike, so one's
// brightness against the middle one's tells (0.95 of it in logarithms, on rendered hands). What is
// much darker rather wears polish.
float lq_scene_relative(const struct lq_scene *scene, const struct lq_shade_fit *fit);
