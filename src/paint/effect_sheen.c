// Pearl, shimmer, metal: fine, flat flakes, seen as a continuous surface.
#include "paint/effect_parts.h"

LQ_HOT void lq_sheen_lay(const struct lq_coat *coat, const struct lq_sheen *sheen,
                         const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct lq_sheen s = *sheen;
    float fine = 0.5f / coat->pixel;
    fine = fine < 38.0f ? fine : 38.0f;
    const float flaky = s.grain * calm_at(coat, fine);
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float x = row_w + row_dw * (float)i, y = (row_u + row_du * (float)i) * aspect;
        float su = slope_u[i], sw = slope_w[i], sz = slope_z[i];
        float near = lobe(off_light(su, sw, sz, sun_u, sun_w), s.tight);
        float stroke = lq_value_noise(x * 9.0f + 40.0f, y * 0.7f + 40.0f, 5u) +
                       0.5f * lq_value_noise(x * 21.0f + 40.0f, y * 1.1f + 40.0f, 6u) - 0.75f;
        float grain = lq_value_noise(x * fine + 90.0f, y * fine + 90.0f, 7u) - 0.5f;
        float broken = 1.0f + s.streak * stroke + flaky * grain;
        float graze = (1.0f - sz) * s.edge_gain;
        float lit = body[i] * seen[i], keep = 1.0f - (1.0f - s.keep) * seen[i];
        float on = near * s.gain * broken * lit, out = graze * lit;
        red[i] = red[i] * keep +
                 (s.lobe_color[0] * on + s.edge_color[0] * out) * light_r;
        green[i] = green[i] * keep +
                   (s.lobe_color[1] * on + s.edge_color[1] * out) * light_g;
        blue[i] = blue[i] * keep +
                  (s.lobe_color[2] * on + s.edge_color[2] * out) * light_b;
    }
}

void lq_effect_pearl(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    static const float ice[3] = {0.62f, 0.80f, 0.94f};
    float strength = coat->number[LQ_EFFECT_STRENGTH], shift = coat->number[LQ_EFFECT_SHIFT];
    float gain = fminf(0.8f / fmaxf(brightest_of(coat->pigment), 0.15f), 2.5f);
    struct lq_sheen sheen = {.keep = 1.0f - 0.22f * strength, .tight = 2.0f,
                             .gain = 0.62f * strength, .edge_gain = 0.45f * strength * shift,
                             .streak = 0.16f, .grain = 0.07f};
    const float *edge = coat->color_count > 1 ? coat->color[1] : ice;
    for (int k = 0; k < 3; k++) {
        sheen.lobe_color[k] = coat->color_count > 0 ? coat->color[0][k]
                                                    : lerp(coat->pigment[k] * gain, 0.94f, 0.38f);
        sheen.edge_color[k] = coat->color_count > 1 ? edge[k]
                                                    : 0.4f * edge[k] + 0.6f * coat->pigment[k];
    }
    lq_sheen_lay(coat, &sheen, row);
}

void lq_effect_shimmer(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH], size = coat->number[LQ_EFFECT_SIZE];
    float cell = 0.022f + 0.065f * size;
    struct lq_sheen sheen = {.keep = 1.0f - 0.30f * strength, .tight = 2.4f,
                             .gain = 0.55f * strength, .grain = 0.5f * strength};
    struct lq_flakes flakes = {.radius = 0.40f,
                               .present = 0.2f + 0.5f * coat->number[LQ_EFFECT_DENSITY],
                               .tilt = 0.85f, .tight = 11.0f, .matt = 0.62f, .vary = 0.3f,
                               .flash = 0.5f + 1.6f * strength, .pale = 0.3f, .turn_c = 0.83f,
                               .turn_s = 0.557f, .scale = 1.0f / cell, .seed = 31u};
    lq_flakes_color(coat, &flakes);
    for (int k = 0; k < 3; k++)
        sheen.lobe_color[k] = flakes.color[0][k];
    lq_sheen_lay(coat, &sheen, row);
    flakes.weight = 0.35f + 0.4f * strength;
    lq_flakes_lay(coat, row, flakes, 1.2f);
    flakes.scale *= 0.58f;
    flakes.turn_s = -flakes.turn_s;
    flakes.seed = 37u;
    flakes.present *= 0.22f;
    flakes.flash *= 1.4f;
    lq_flakes_lay(coat, row, flakes, 1.4f);
}

void lq_effect_metallic(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float gain = fminf(0.75f / fmaxf(brightest_of(coat->pigment), 0.15f), 2.2f);
    struct lq_sheen sheen = {.keep = 1.0f - 0.62f * strength, .tight = 1.5f,
                             .gain = 1.15f * strength, .edge_gain = 0.25f * strength,
                             .streak = 0.22f, .grain = 0.16f};
    set_color(sheen.lobe_color, coat->pigment, 0.06f, gain);
    set_color(sheen.edge_color, coat->pigment, 0.25f, gain);
    lq_sheen_lay(coat, &sheen, row);
    // The flattest flakes add a second, narrower highlight.
    sheen = (struct lq_sheen){.keep = 1.0f, .tight = 9.0f, .gain = 0.55f * strength, .streak = 0.3f,
                              .grain = 0.3f};
    set_color(sheen.lobe_color, coat->pigment, 0.3f, gain);
    lq_sheen_lay(coat, &sheen, row);
}
