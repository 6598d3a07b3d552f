#include "paint/scene.h"

#include <math.h>

#include "paint/median.h"

// Brightness of the median nail, with which single nails are compared.
static float median_level(const struct lq_shade_fit *fits, int count)
{
    float levels[LQ_NAILS_MAX] = {0};
    for (int i = 0; i < count; i++)
        levels[i] = fits[i].level;
    return lq_median(levels, count);
}

float lq_scene_relative(const struct lq_scene *scene, const struct lq_shade_fit *fit)
{
    float relative = powf(fit->level / scene->level, 0.75f);
    return fminf(fmaxf(relative, 0.50f), 1.25f);
}

// Light comes from where nails become brighter; a prior from the upper left stabilises this.
static void aim_light(struct lq_light *light, const struct lq_shade_fit *fits, int count)
{
    float x = light->dir_x, y = light->dir_y;
    for (int i = 0; i < count; i++) {
        x += 0.25f * fits[i].slope_x;
        y += 0.25f * fits[i].slope_y;
    }
    float length = sqrtf(x * x + y * y), most = 0.9f;
    light->dir_x = length > most ? x * most / length : x;
    light->dir_y = length > most ? y * most / length : y;
}

void lq_scene_judge(struct lq_scene *scene, const struct lq_image *picture,
                    const struct lq_nails *nails, const struct lq_surround *surround)
{
    for (int i = 0; i < nails->count; i++)
        lq_shade_fit(&scene->fits[i], picture, &nails->items[i]);
    if (surround)
        scene->surround = *surround;
    else
        lq_surround_survey(&scene->surround, picture);
    lq_light_estimate(&scene->light, picture, &scene->surround, nails,
                      scene->fits);
    scene->level = nails->count ? median_level(scene->fits, nails->count) : 0.0f;
    aim_light(&scene->light, scene->fits, nails->count);
}
