#include "paint/finish.h"

#include <math.h>

// Numbers that make a finish of the one model below.
struct recipe {
    float contrast;    // of slow shading
    float volume;      // shading of the curve itself, which a translucent bare nail hides
    float depth;       // how much the pigment deepens where little light comes back
    float rim;         // darkening at the outline
    float half_w, half_u, soft_w, soft_u; // the highlight's half size and softness
    float strength;    // of the highlight, against white in this light
    float fill;        // share of it that a second, opposite light gives
    float haze;        // a broad, weak lobe around it
    float fresnel;     // mirror-like return at grazing angles
    float kept;        // of the nail's own highlight
};

static const struct recipe RECIPES[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = {.contrast = 0.95f, .volume = 0.10f, .depth = 0.0f, .rim = 0.14f,
                         .half_w = 0.00f, .half_u = 0.06f, .soft_w = 0.42f, .soft_u = 0.42f,
                         .strength = 0.07f, .haze = 0.010f, .fresnel = 0.01f, .kept = 0.85f},
    [LQ_FINISH_GLOSS] = {.contrast = 1.05f, .volume = 0.16f, .depth = 0.10f, .rim = 0.20f,
                         .half_w = 0.08f, .half_u = 0.20f, .soft_w = 0.10f, .soft_u = 0.16f,
                         .strength = 0.34f, .fill = 0.14f, .haze = 0.012f, .fresnel = 0.04f,
                         .kept = 1.15f},
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
    float over = (x - 0.8f) * (1.0f / 0.2f);
    over = over > 0.0f ? over : 0.0f;
    return x < 0.8f ? x : 0.8f + 0.2f * over / (1.0f + over);
}

// The surface's slope at a point: a cylinder across that rolls off towards its ends, and narrows
// there, so that a highlight bows with the outline.
struct slope {
    float w, u, z;
};

static inline struct slope slope_at(float u, float w)
{
    float nw = clamp01(0.5f + 0.43f * w * (1.0f + 0.3f * u * u)) * 2.0f - 1.0f;
    float nu = clamp01(0.5f + 0.5f * (u * (0.10f + 0.36f * u * u))) * 2.0f - 1.0f;
    float nz = 1.0f - nw * nw - nu * nu;
    return (struct slope){nw, nu, sqrtf(nz > 0.01f ? nz : 0.01f)};
}

// What the surface sends straight back, by the reflection of the view. Detail bends it a little, so
// that it does not look ruled.
static inline float mirror(const struct recipe *recipe, const struct lq_coat *coat,
                           struct slope slope, float detail)
{
    float bend = (detail - 1.0f) * coat->texture * 0.2f;
    float rw = 2.0f * slope.z * slope.w - coat->sun_w + bend;
    float ru = (2.0f * slope.z * slope.u - coat->sun_u) * coat->stretch;
    float lamp = window(rw, recipe->half_w, 1.0f / recipe->soft_w) *
                 window(ru, recipe->half_u, 1.0f / recipe->soft_u);
    float fill = window(rw + 2.1f * coat->sun_w, 0.5f * recipe->half_w, 1.0f / recipe->soft_w) *
                 window(ru, 0.7f * recipe->half_u, 1.0f / recipe->soft_u);
    float haze = window(rw, 0.0f, 1.0f / 0.9f) * window(ru, 0.1f, 1.0f / 0.9f);
    float graze = 1.0f - slope.z;
    return coat->added * (recipe->strength * (lamp + recipe->fill * fill) + recipe->haze * haze +
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
        struct slope slope = slope_at(u, w);
        float body = 1.0f + (slow[i] - 1.0f) * r.contrast;
        body *= 1.0f + r.volume * (slope.w * c.sun_w + slope.u * c.sun_u + slope.z - 0.83f);
        body *= 1.0f + (detail[i] - 1.0f) * c.texture;
        body *= 1.0f - r.rim * (1.0f - rim[i]);
        body = body > 0.02f ? body : 0.02f;
        float deep = 1.0f - r.depth * (1.0f - rim[i]);
        float gleam = mirror(&r, &c, slope, detail[i]) * rim[i] + 0.004f;
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
