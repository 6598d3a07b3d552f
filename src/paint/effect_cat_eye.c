// Cat-eye: flakes turned upright by a magnet.
#include "paint/effect_parts.h"

struct magnet {
    float strength, inverse_width, place, shift;
    float core[3], flank[3];
};

LQ_HOT static void magnet_row(const struct lq_coat *coat, const struct magnet *magnet,
                              const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct magnet m = *magnet;
    const float turn_c = coat->turn_c, turn_s = coat->turn_s;
    float fine = 0.5f / coat->pixel;
    fine = fine < 34.0f ? fine : 34.0f;
    // Small nails show the band, but not its flakes.
    float rough = 0.9f * fine * (1.0f / 34.0f) * calm_at(coat, fine);
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float w = row_w + row_dw * (float)i, u = row_u + row_du * (float)i;
        float x = w * turn_c - u * aspect * turn_s;
        float y = w * turn_s + u * aspect * turn_c;
        // The band is slightly curved. It lies below the surface, so it moves ahead of the light.
        float t = x - m.place - 0.05f * y * y + 0.22f * sun_w;
        float grain = lq_value_noise(w * fine + 70.0f, u * aspect * fine + 70.0f, 91u) - 0.5f;
        float soft = lq_value_noise(w * 3.0f + 30.0f, u * aspect * 1.5f + 30.0f, 92u) - 0.5f;
        float d = t * m.inverse_width * (1.0f + 0.25f * soft);
        float core = lobe(d * d, 1.0f), glow = 1.0f / (1.0f + 0.22f * d * d);
        float ends = 1.0f - 0.30f * u * u;
        float share = m.strength * seen[i], lit = body[i] * (1.0f + rough * grain * glow);
        float dark = 1.0f - share * (0.80f - 0.55f * glow);
        float turn = m.shift * lq_clamp01(1.0f - core * 1.4f);
        float on = share * lit * (0.85f * core * ends + 0.16f * glow);
        red[i] = red[i] * dark + lerp(m.core[0], m.flank[0], turn) * on * light_r;
        green[i] = green[i] * dark + lerp(m.core[1], m.flank[1], turn) * on * light_g;
        blue[i] = blue[i] * dark + lerp(m.core[2], m.flank[2], turn) * on * light_b;
    }
}

void lq_effect_cat_eye(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float gain = fminf(0.85f / fmaxf(brightest_of(coat->pigment), 0.1f), 6.0f);
    struct magnet magnet = {.strength = coat->number[LQ_EFFECT_STRENGTH],
                            .inverse_width = 1.0f / (0.07f + 0.45f * coat->number[LQ_EFFECT_WIDTH]),
                            .place = 1.6f * (coat->number[LQ_EFFECT_OFFSET] - 0.5f),
                            .shift = coat->number[LQ_EFFECT_SHIFT]};
    for (int k = 0; k < 3; k++) {
        magnet.core[k] = coat->color_count > 0 ? coat->color[0][k]
                                               : lerp(coat->pigment[k] * gain, 0.94f, 0.22f);
        magnet.flank[k] = coat->color_count > 1 ? coat->color[1][k]
                                                : coat->pigment[(k + 1) % 3] * gain;
    }
    magnet_row(coat, &magnet, row);
}
