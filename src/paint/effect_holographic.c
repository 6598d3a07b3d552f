// Holographic: every flake is a diffraction grating.
#include "paint/effect_parts.h"

// Response of one channel to a position in the spectrum: a hump a third of the circle wide.
static inline float hump(float phase)
{
    float t = phase - (float)lq_floor(phase);
    t = t < 0.5f ? 2.0f * t : 2.0f - 2.0f * t;
    return 0.2f + 0.8f * lq_smooth01(lq_clamp01(1.5f * t - 0.25f));
}

// The flakes' gratings are parallel and form one rainbow around the light. It is paler than a
// prism's, since light comes from several places; far from the light only the polish's own colour
// is seen. Each flake has its own phase.
LQ_HOT static void grating_row(const struct lq_coat *coat, float scale, float orders,
                               float strength, const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const float calm = calm_at(coat, scale);
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float x = (row_w + row_dw * (float)i) * scale + 60.0f;
        float y = (row_u + row_du * (float)i) * aspect * scale + 60.0f;
        uint32_t h = lq_cell_hash(lq_floor(x), lq_floor(y), 53u);
        float one = lq_hash_part(h, 0, 8), two = lq_hash_part(h, 8, 8);
        float off = off_light(slope_u[i], slope_w[i], slope_z[i], sun_u, sun_w);
        float phase = orders * (sqrtf(off + 0.01f) - 0.1f) - 0.12f;
        float flake = phase + 0.22f * calm * (one - 0.5f);
        float far = lobe(off, 0.75f), near = lobe(off, 7.0f);
        float sparkle = lerp(0.25f, two * two * two, calm);
        float share = strength * seen[i], lit = body[i] * (0.16f + 0.84f * far);
        float smooth = 0.34f * share * lit * (1.0f - 0.8f * near);
        float grains = 0.95f * share * lit * sparkle;
        float keep = 1.0f - 0.38f * share;
        red[i] = red[i] * keep + (smooth * hump(phase) + grains * hump(flake)) * light_r;
        green[i] = green[i] * keep + (smooth * hump(phase - 0.3333f) +
                                      grains * hump(flake - 0.3333f)) * light_g;
        blue[i] = blue[i] * keep + (smooth * hump(phase - 0.6667f) +
                                    grains * hump(flake - 0.6667f)) * light_b;
    }
}

void lq_effect_holographic(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    struct lq_sheen sheen = {.keep = 0.72f, .tight = 1.8f, .gain = 0.55f, .grain = 0.25f};
    float scale = 1.0f / (0.012f + 0.05f * coat->number[LQ_EFFECT_SIZE]);
    float most = 1.0f / (1.2f * coat->pixel);
    set_color(sheen.lobe_color, coat->pigment, 0.35f, 1.2f);
    lq_sheen_lay(coat, &sheen, row);
    grating_row(coat, scale < most ? scale : most, 0.6f + 1.4f * coat->number[LQ_EFFECT_SHIFT],
                strength, row);
}
