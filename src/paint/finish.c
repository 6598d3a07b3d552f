#include "paint/finish.h"

#include <math.h>

// Numbers that make a finish of the one model below.
struct recipe {
    float contrast;    // of slow shading
    float depth;       // how much the pigment deepens where little light comes back
    float rim;         // darkening at the outline
    float half_w, half_u, soft_w, soft_u; // the highlight's half size and softness
    float strength;    // of the highlight, against white in this light
    float haze;        // a broad, weak lobe around it
    float fresnel;     // mirror-like return at grazing angles
    float kept;        // of the nail's own highlight
};

static const struct recipe RECIPES[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = {0.95f, 0.0f, 0.16f, 0.05f, 0.16f, 0.32f, 0.34f, 0.10f, 0.03f, 0.015f,
                         0.85f},
    [LQ_FINISH_GLOSS] = {1.05f, 0.10f, 0.22f, 0.10f, 0.24f, 0.09f, 0.16f, 0.34f, 0.05f, 0.05f,
                         1.15f},
};

static inline float clamp01(float x)
{
    x = x < 0.0f ? 0.0f : x;
    return x > 1.0f ? 1.0f : x;
}

// 1 inside |x| < half, falling smoothly to 0 over `soft`.
static inline float window(float x, float half, float inverse_soft)
{
    float t = clamp01(1.0f - ((x < 0.0f ? -x : x) - half) * inverse_soft);
    return t * t * (3.0f - 2.0f * t);
}

// Leaves room below white, so that light polish keeps its shading and its highlights.
static inline float shoulder(float x)
{
    float over = (x - 0.85f) * (1.0f / 0.15f);
    over = over > 0.0f ? over : 0.0f;
    return x < 0.85f ? x : 0.85f + 0.15f * over / (1.0f + over);
}

// What the surface sends straight back: seen by the reflection of the view on a nail that is a
// cylinder across and rolls off towards its ends. Detail bends it a little, so that it is not ruled.
static inline float mirror(const struct recipe *recipe, const struct lq_coat *coat, float u,
                           float w, float detail)
{
    float bend = (detail - 1.0f) * coat->texture * 0.5f;
    float nw = clamp01(0.5f + 0.5f * (w * 0.86f + bend)) * 2.0f - 1.0f;
    float nu = clamp01(0.5f + 0.5f * (u * (0.10f + 0.36f * u * u))) * 2.0f - 1.0f;
    float nz2 = 1.0f - nw * nw - nu * nu;
    float nz = sqrtf(nz2 > 0.01f ? nz2 : 0.01f);
    float rw = 2.0f * nz * nw - coat->sun_w, ru = 2.0f * nz * nu - coat->sun_u;
    float lamp = window(rw, recipe->half_w, 1.0f / recipe->soft_w) *
                 window(ru, recipe->half_u, 1.0f / recipe->soft_u);
    float haze = window(rw, 0.0f, 1.0f / 0.9f) * window(ru, 0.1f, 1.0f / 0.9f);
    float graze = 1.0f - nz;
    return coat->added * (recipe->strength * lamp + recipe->haze * haze +
                          recipe->fresnel * graze * graze);
}

LQ_HOT static void coat_row(const struct recipe *recipe, const struct lq_coat *coat,
                            const struct lq_coat_row *row, float *restrict red,
                            float *restrict green, float *restrict blue)
{
    const struct recipe r = *recipe;
    const struct lq_coat c = *coat;
    const float *restrict in_red = row->red, *restrict in_green = row->green;
    const float *restrict in_blue = row->blue, *restrict cover = row->cover;
    const float *restrict slow = row->slow, *restrict detail = row->detail;
    const float *restrict shine = row->shine, *restrict rim = row->rim;
    float u0 = row->u, w0 = row->w, du = row->du, dw = row->dw;
    for (int i = 0, n = row->count; i < n; i++) {
        float u = u0 + du * (float)i, w = w0 + dw * (float)i;
        float body = 1.0f + (slow[i] - 1.0f) * r.contrast;
        body *= 1.0f + (detail[i] - 1.0f) * c.texture;
        body *= 1.0f - r.rim * (1.0f - rim[i]);
        body = body > 0.02f ? body : 0.02f;
        float deep = 1.0f - r.depth * (1.0f - rim[i]);
        float gleam = mirror(&r, &c, u, w, detail[i]) * rim[i] + 0.004f;
        float kept = shine[i] * c.kept * r.kept;
        float a = cover[i], o = c.opacity;
        float pr = in_red[i] + (c.pigment[0] * c.light[0] * body * deep - in_red[i]) * o;
        float pg = in_green[i] + (c.pigment[1] * c.light[1] * body * deep - in_green[i]) * o;
        float pb = in_blue[i] + (c.pigment[2] * c.light[2] * body * deep - in_blue[i]) * o;
        pr = shoulder(pr + kept * o + gleam * c.light[0]);
        pg = shoulder(pg + kept * o + gleam * c.light[1]);
        pb = shoulder(pb + kept * o + gleam * c.light[2]);
        red[i] = in_red[i] + (pr - in_red[i]) * a;
        green[i] = in_green[i] + (pg - in_green[i]) * a;
        blue[i] = in_blue[i] + (pb - in_blue[i]) * a;
    }
}

void lq_finish_row(enum lq_finish finish, const struct lq_coat *coat,
                   const struct lq_coat_row *row, float *red, float *green, float *blue)
{
    coat_row(&RECIPES[finish], coat, row, red, green, blue);
}
