// What the effects (effect_*.c) share: arithmetic, two layers that several of them use, and the
// effects themselves, from which effect.c chooses.
// Threads: any. Owner: plain data.
#pragma once

#include <math.h>

#include "paint/effect.h"
#include "paint/noise.h"

// ---- arithmetic ---------------------------------------------------------------------------------

// Squared distance between the view's reflection and the light's, in the nail's plane: 0 where the
// surface mirrors the light.
static inline float off_light(float su, float sw, float sz, float sun_u, float sun_w)
{
    float a = 2.0f * sz * sw - sun_w, b = 2.0f * sz * su - sun_u;
    return a * a + b * b;
}

// A lobe of light: 1 at the light's reflection; it falls off faster for larger `tight`.
static inline float lobe(float off, float tight)
{
    float t = 1.0f / (1.0f + tight * off);
    return t * t;
}

static inline float lerp(float a, float b, float t)
{
    return a + (b - a) * t;
}

static inline float brightest_of(const float c[3])
{
    return fmaxf(fmaxf(c[0], c[1]), c[2]);
}

// How much contrast flakes of this scale keep in a blurred picture.
static inline float calm_at(const struct lq_coat *coat, float scale)
{
    return 1.0f / (1.0f + coat->blur * scale);
}

static inline void set_color(float color[3], const float from[3], float white, float gain)
{
    for (int k = 0; k < 3; k++)
        color[k] = lerp(from[k] * gain, 0.94f, white);
}

// Copies a row's pointers and numbers to local variables, so that the compiler knows they do not
// change. With LQ_IVDEP, which says that rows do not overlap, it can vectorise the loop.
#define ROW_LOCALS                                                                                \
    const float *restrict slope_u = row->slope_u, *restrict slope_w = row->slope_w;               \
    const float *restrict slope_z = row->slope_z, *restrict body = row->body;                     \
    const float *restrict seen = row->seen;                                                       \
    float *restrict red = row->painted[0], *restrict green = row->painted[1];                     \
    float *restrict blue = row->painted[2];                                                       \
    const float row_u = row->place->u, row_w = row->place->w;                                     \
    const float row_du = row->place->du, row_dw = row->place->dw;                                 \
    const float sun_u = coat->sun_u, sun_w = coat->sun_w, aspect = coat->aspect;                  \
    const float light_r = coat->light[0], light_g = coat->light[1], light_b = coat->light[2];     \
    const int n = row->place->count;                                                              \
    (void)slope_u, (void)slope_w, (void)slope_z, (void)body, (void)row_u, (void)row_w,            \
        (void)row_du, (void)row_dw, (void)sun_u, (void)sun_w, (void)aspect, (void)light_r,        \
        (void)light_g, (void)light_b

// ---- layers -------------------------------------------------------------------------------------

// One layer of flakes: at most one per cell. Positions are in half widths of the nail.
struct lq_flakes {
    float scale;     // cells per half width
    float radius;    // of a flake, in cells
    float present;   // share of cells that contain one
    float tilt;      // how far flakes tilt out of the surface
    float tight;     // narrowness of their flash
    float matt;      // share of diffuse light that they reflect
    float vary;      // … and how much that varies between flakes
    float flash;     // strength of the flash
    float pale;      // 0..1: how white the flash is
    float weight;    // opacity of the layer
    float turn_c, turn_s; // cosine and sine of the grid's rotation
    uint32_t seed;
    int color_count;
    float color[LQ_EFFECT_COLORS_MAX][3];
};

// Sets the effect's own colours, or else three derived from the pigment: unchanged, paler,
// brighter.
void lq_flakes_color(const struct lq_coat *coat, struct lq_flakes *flakes);

// Draws flakes that would be smaller than `least_pixels` at a larger scale instead, in octaves that
// are blended, so that nothing jumps when a hand comes nearer.
void lq_flakes_lay(const struct lq_coat *coat, const struct lq_polish_row *row,
                   struct lq_flakes flakes, float least_pixels);

// A sheen: fine flat flakes, seen as one surface.
struct lq_sheen {
    float keep;           // share of the body's light that stays
    float tight, gain;    // of the broad lobe, with `lobe_color`
    float edge_gain;      // at grazing angles, with `edge_color`
    float streak, grain;  // how far brush strokes and flakes break up the sheen
    float lobe_color[3], edge_color[3];
};

void lq_sheen_lay(const struct lq_coat *coat, const struct lq_sheen *sheen,
                  const struct lq_polish_row *row);

// ---- effects: as lq_effect_apply ----------------------------------------------------------------

void lq_effect_glitter(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_pearl(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_shimmer(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_metallic(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_chrome(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_holographic(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_cat_eye(const struct lq_coat *coat, const struct lq_polish_row *row);
void lq_effect_textured(const struct lq_coat *coat, const struct lq_polish_row *row);
