// The light in a picture and on each of its nails: what a painter needs besides the look.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/shade.h"
#include "paint/surround.h"

struct lq_scene {
    struct lq_light light;
    float level;                             // brightness of the middle nail, linear
    struct lq_surround surround;             // what shiny nails mirror
    struct lq_shade_fit fits[LQ_NAILS_MAX];  // one per nail, in the nails' order
};

// surround: the result of an earlier survey, if only part of the picture is known; NULL: survey the
// picture.
void lq_scene_judge(struct lq_scene *scene, const struct lq_image *picture,
                    const struct lq_nails *nails, const struct lq_surround *surround);

// The light on one nail relative to the hand's. The bare nails of a hand look much alike, so the
// ratio of a nail's brightness to the median nail's predicts it (by 0.95 in logarithms, on rendered
// hands). A much darker nail probably wears polish already.
float lq_scene_relative(const struct lq_scene *scene, const struct lq_shade_fit *fit);
