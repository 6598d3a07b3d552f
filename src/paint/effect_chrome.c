// Chrome: mirrors the surroundings, including a lamp.
#include "paint/effect_parts.h"

struct mirror {
    float strength, shift;
    float face[3], edge[3], ground[3];
};

static inline float band(float x, float half, float soft)
{
    float d = x < 0.0f ? -x : x;
    return lq_smooth01(lq_clamp01((half + soft - d) / soft));
}

// One channel of the light that the metal reflects.
static inline float mirrored(float face, float edge, float turn, float white, float room,
                             float ground)
{
    return lerp(lerp(face, edge, turn), 0.94f, white) * (room + ground);
}

// Reflects the surroundings: a vertical lamp with darker walls beside it, and the hand itself
// below. Bright light hides the metal's colour. Across the nail, positions follow the angle of the
// reflection (about 2 asin of the slope), not its sine: the sine hardly changes on the flanks,
// where a lamp would fill half the nail.
LQ_HOT static void mirror_row(const struct lq_coat *coat, const struct mirror *mirror,
                              const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct mirror m = *mirror;
    const struct lq_glimpse glimpse = coat->glimpse;
    const float axis_x = coat->axis_x, axis_y = coat->axis_y;
    // Each nail is at another place in the room, so it reflects another part of it.
    const float wave_w = 20.0f + 7.0f * coat->away_w, wave_u = 20.0f + 7.0f * coat->away_u;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float w = row_w + row_dw * (float)i, u = row_u + row_du * (float)i;
        float wave = lq_value_noise(w * 1.1f + wave_w, u * aspect * 0.8f + wave_u, 71u) - 0.5f;
        float sz = slope_z[i], sw = slope_w[i], graze = (1.0f - sz) * (1.0f - sz);
        float x = sw * (2.0f + 0.55f * sw * sw) + 0.30f * wave;
        float y = 2.0f * sz * slope_u[i] + 0.24f * wave;
        float level = lq_glimpse_read(&glimpse, x, y);
        float off_w = x - sun_w, off_u = y - sun_u;
        float across = axis_x * off_u - axis_y * off_w, down = axis_y * off_u + axis_x * off_w;
        float lamp = band(across, 0.09f, 0.20f) * band(down, 0.30f, 0.34f);
        float off = across * across + 0.5f * down * down;
        float walls = 1.0f - 0.72f * band(off - 0.42f, 0.05f, 0.40f);
        float far = lq_smooth01(lq_clamp01(0.45f * off - 0.35f));
        float room = level * walls * (1.0f - 0.65f * far);
        float bright = 0.46f * room + 0.90f * lamp + 0.6f * graze;
        float turn = lq_clamp01((1.0f - sz) * 2.2f + 0.25f * wave) * m.shift;
        float white = lq_smooth01(lq_clamp01(1.1f * bright - 0.62f)) * 0.62f;
        float low = far, lit = 0.4f + 0.6f * body[i], share = m.strength * seen[i];
        float hued = 0.16f * room, plain = bright - hued;
        red[i] = lerp(red[i], mirrored(m.face[0], m.edge[0], turn, white,
                                       (plain + hued * glimpse.hue[0]) * light_r,
                                       low * m.ground[0]) * lit, share);
        green[i] = lerp(green[i], mirrored(m.face[1], m.edge[1], turn, white,
                                           (plain + hued * glimpse.hue[1]) * light_g,
                                           low * m.ground[1]) * lit, share);
        blue[i] = lerp(blue[i], mirrored(m.face[2], m.edge[2], turn, white,
                                         (plain + hued * glimpse.hue[2]) * light_b,
                                         low * m.ground[2]) * lit, share);
    }
}

void lq_effect_chrome(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    struct mirror mirror = {.strength = coat->number[LQ_EFFECT_STRENGTH],
                            .shift = coat->number[LQ_EFFECT_SHIFT]};
    const float *face = coat->color_count > 0 ? coat->color[0] : coat->pigment;
    float gain = 0.92f / fmaxf(brightest_of(face), 0.25f);
    for (int k = 0; k < 3; k++) {
        mirror.face[k] = lerp(face[k] * gain, 0.92f, 0.08f);
        mirror.edge[k] = coat->color_count > 1 ? coat->color[1][k] : mirror.face[(k + 1) % 3];
        mirror.ground[k] = 0.5f * coat->bed[k];
    }
    mirror_row(coat, &mirror, row);
}
