// Textured: sand under the polish, with grains that glint.
#include "paint/effect_parts.h"

LQ_HOT static void relief_row(const struct lq_coat *coat, float scale, float strength,
                              const struct lq_polish_row *row)
{
    ROW_LOCALS;
    float reach = 0.45f;
    float length = sqrtf(sun_u * sun_u + sun_w * sun_w) + 0.05f;
    float sw = reach * sun_w / length, su = reach * sun_u / length;
    float ox = 0.8f * sw - 0.6f * su, oy = 0.6f * sw + 0.8f * su;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        // Rotated, so that the noise's cells are not aligned with the nail.
        float p = (row_w + row_dw * (float)i) * scale;
        float q = (row_u + row_du * (float)i) * aspect * scale;
        float x = 0.8f * p - 0.6f * q + 90.0f, y = 0.6f * p + 0.8f * q + 90.0f;
        float here = lq_value_noise(x, y, 131u), there = lq_value_noise(x + ox, y + oy, 131u);
        float fine = lq_value_noise(x * 2.3f, y * 2.3f, 132u);
        float relief = (here - there) * 1.9f + 0.45f * (here - 0.5f) + 0.35f * (fine - 0.5f);
        float lit = 1.0f + strength * seen[i] * relief;
        lit = lit > 0.15f ? lit : 0.15f;
        red[i] *= lit;
        green[i] *= lit;
        blue[i] *= lit;
    }
}

void lq_effect_textured(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float cell = 0.03f + 0.11f * coat->number[LQ_EFFECT_SIZE];
    float scale = 1.0f / cell, most = 0.5f / coat->pixel;
    struct lq_flakes sugar = {.scale = 1.3f / cell, .radius = 0.38f, .present = 0.30f, .tilt = 1.0f,
                              .tight = 14.0f, .matt = 0.8f, .flash = 1.6f, .pale = 0.5f,
                              .weight = 0.75f * strength,
                              .turn_c = 0.9f, .turn_s = 0.436f, .seed = 151u, .color_count = 1};
    set_color(sugar.color[0], coat->pigment, 0.18f, 1.15f);
    scale = scale < most ? scale : most;
    relief_row(coat, scale, strength * calm_at(coat, scale), row);
    lq_flakes_lay(coat, row, sugar, 1.6f);
}
