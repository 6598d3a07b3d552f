#include "paint/effect.h"

#include <math.h>

#include "paint/noise.h"

// ---- helpers -------------------------------------------------------------------------------------

// Squared distance of the view's reflection from the light's, both in the nail's plane: 0 where the
// surface mirrors the light.
static inline float off_light(const struct lq_coat *coat, float su, float sw, float sz)
{
    float a = 2.0f * sz * sw - coat->sun_w, b = 2.0f * sz * su - coat->sun_u;
    return a * a + b * b;
}

// A lobe of light: 1 at the light's reflection, falling the faster the larger `tight` is.
static inline float lobe(float off, float tight)
{
    float t = 1.0f / (1.0f + tight * off);
    return t * t;
}

static inline float lerp(float a, float b, float t)
{
    return a + (b - a) * t;
}

static float brightest_of(const float c[3])
{
    return fmaxf(fmaxf(c[0], c[1]), c[2]);
}

// ---- flakes --------------------------------------------------------------------------------------

// One layer of flakes: a flake a cell, where there is one. Points are in half breadths.
struct flakes {
    float scale;     // cells a half breadth
    float radius;    // of a flake, in cells
    float present;   // share of cells that hold one
    float tilt;      // how far flakes lean out of the surface
    float tight;     // of their flash
    float matt;      // what they send back of light from everywhere
    float flash;     // … and of the light itself
    float weight;    // of the layer
    float turn_c, turn_s; // the grid, turned
    uint32_t seed;
    int color_count;
    float color[LQ_EFFECT_COLORS_MAX][3];
};

// Hexagons, each in a place, a lean, a turn and a colour of its own; all from its cell's number.
LQ_HOT static void flake_row(const struct lq_coat *coat, const struct flakes *flakes,
                             const struct lq_effect_row *row)
{
    const struct flakes f = *flakes;
    float x0 = row->w * f.scale, y0 = row->u * coat->aspect * f.scale;
    float dx = row->dw * f.scale, dy = row->du * coat->aspect * f.scale;
    float sharp = 1.0f / (coat->pixel * f.scale), counted = (float)f.color_count;
    for (int i = 0, n = row->count; i < n; i++) {
        float px = x0 + dx * (float)i, py = y0 + dy * (float)i;
        float qx = px * f.turn_c + py * f.turn_s, qy = py * f.turn_c - px * f.turn_s;
        int32_t ix = lq_floor(qx), iy = lq_floor(qy);
        uint32_t h = lq_cell_hash(ix, iy, f.seed);
        float here = lq_hash_part(h, 0, 6) < f.present ? f.weight : 0.0f;
        float room = 1.0f - 2.0f * f.radius;
        float jx = f.radius + room * lq_hash_part(h, 6, 4);
        float jy = f.radius + room * lq_hash_part(h, 10, 4);
        float tw = 2.0f * lq_hash_part(h, 14, 5) - 1.0f, tu = 2.0f * lq_hash_part(h, 19, 5) - 1.0f;
        float pick = lq_hash_part(h, 24, 8);
        // A turn by the tangent of its half: no sine needed.
        float t = tw * 0.6f + tu * 0.4f, inverse = 1.0f / (1.0f + t * t);
        float c = (1.0f - t * t) * inverse, s = 2.0f * t * inverse;
        float ax = qx - (float)ix - jx, ay = qy - (float)iy - jy;
        float bx = ax * c + ay * s, by = ay * c - ax * s;
        bx = bx < 0.0f ? -bx : bx;
        by = by < 0.0f ? -by : by;
        float side = 0.8660254f * bx + 0.5f * by, edge = by > side ? by : side;
        float cover = lq_clamp01((f.radius - edge) * sharp + 0.5f) * here * row->seen[i];
        float rw = 2.0f * row->slope_z[i] * row->slope_w[i] + tw * f.tilt - coat->sun_w;
        float ru = 2.0f * row->slope_z[i] * row->slope_u[i] + tu * f.tilt - coat->sun_u;
        float flash = lobe(rw * rw + ru * ru, f.tight) * f.flash;
        float dull = f.matt * (0.55f + 0.9f * pick);
        int32_t which = (int32_t)(pick * counted);
        which = which < f.color_count ? which : f.color_count - 1;
        float lit = row->body[i];
        float red = f.color[which][0] * dull + (0.35f + 0.65f * f.color[which][0]) * flash;
        float green = f.color[which][1] * dull + (0.35f + 0.65f * f.color[which][1]) * flash;
        float blue = f.color[which][2] * dull + (0.35f + 0.65f * f.color[which][2]) * flash;
        row->red[i] = lerp(row->red[i], red * coat->light[0] * lit, cover);
        row->green[i] = lerp(row->green[i], green * coat->light[1] * lit, cover);
        row->blue[i] = lerp(row->blue[i], blue * coat->light[2] * lit, cover);
    }
}

// Flakes too small for the picture's pixels become larger ones, an octave at a time, faded over, so
// that nothing jumps when a hand comes nearer.
static void lay_flakes(const struct lq_coat *coat, const struct lq_effect_row *row,
                       struct flakes flakes, float least_pixels)
{
    float wanted = least_pixels * coat->pixel * flakes.scale;
    float octave = wanted > 1.0f ? log2f(wanted) : 0.0f, whole = floorf(octave);
    float far = octave - whole, weight = flakes.weight;
    flakes.scale *= exp2f(-whole);
    flakes.weight = weight * (1.0f - far);
    flake_row(coat, &flakes, row);
    if (far < 0.01f)
        return;
    flakes.scale *= 0.5f;
    flakes.seed += 101u;
    flakes.weight = weight * far;
    flake_row(coat, &flakes, row);
}

static void set_color(float color[3], const float from[3], float white, float gain)
{
    for (int k = 0; k < 3; k++)
        color[k] = lerp(from[k] * gain, 0.94f, white);
}

// The effect's own colours, or these made of the pigment: as it is, paler, brighter.
static void color_flakes(const struct lq_coat *coat, struct flakes *flakes)
{
    float gain = 0.8f / fmaxf(brightest_of(coat->pigment), 0.12f);
    gain = fminf(gain, 3.0f);
    flakes->color_count = coat->color_count;
    for (int i = 0; i < coat->color_count; i++)
        set_color(flakes->color[i], coat->color[i], 0.0f, 1.0f);
    if (coat->color_count > 0)
        return;
    flakes->color_count = 3;
    set_color(flakes->color[0], coat->pigment, 0.0f, gain);
    set_color(flakes->color[1], coat->pigment, 0.45f, gain);
    set_color(flakes->color[2], coat->pigment, 0.12f, 0.5f * gain);
}

static void glitter(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float size = coat->number[LQ_EFFECT_SIZE], density = coat->number[LQ_EFFECT_DENSITY];
    float strength = coat->number[LQ_EFFECT_STRENGTH], cell = 0.09f + 0.26f * size;
    struct flakes flakes = {.radius = 0.40f, .present = 0.35f + 0.65f * density, .tilt = 0.55f,
                            .tight = 9.0f, .matt = 0.42f, .flash = 0.7f + 1.5f * strength};
    static const struct {
        float scale, weight, c, s;
    } layers[] = {{2.6f, 0.90f, 0.88f, 0.47f}, {1.55f, 0.95f, 0.62f, -0.78f}, {1.0f, 1.0f, 0.97f, 0.22f}};
    color_flakes(coat, &flakes);
    for (uint32_t i = 0; i < LQ_COUNT(layers); i++) {
        flakes.scale = layers[i].scale / cell;
        flakes.weight = layers[i].weight;
        flakes.turn_c = layers[i].c;
        flakes.turn_s = layers[i].s;
        flakes.seed = 11u + i;
        if (i == 2)
            flakes.present *= 0.55f;
        lay_flakes(coat, row, flakes, 2.2f);
    }
}

// ---- pearl, shimmer, metal: fine flakes that lie flat, seen as one -------------------------------

struct sheen {
    float keep;           // of the body
    float tight, gain;    // of the broad lobe, times `lobe_color`
    float edge_gain;      // at grazing angles, times `edge_color`
    float streak, grain;  // how far brush strokes and flakes break it up
    float lobe_color[3], edge_color[3];
};

LQ_HOT static void sheen_row(const struct lq_coat *coat, const struct sheen *sheen,
                             const struct lq_effect_row *row)
{
    const struct sheen s = *sheen;
    float aspect = coat->aspect, fine = 0.5f / coat->pixel;
    fine = fine < 38.0f ? fine : 38.0f;
    for (int i = 0, n = row->count; i < n; i++) {
        float x = row->w + row->dw * (float)i, y = (row->u + row->du * (float)i) * aspect;
        float su = row->slope_u[i], sw = row->slope_w[i], sz = row->slope_z[i];
        float near = lobe(off_light(coat, su, sw, sz), s.tight);
        float stroke = lq_value_noise(x * 9.0f + 40.0f, y * 0.7f + 40.0f, 5u) +
                       0.5f * lq_value_noise(x * 21.0f + 40.0f, y * 1.1f + 40.0f, 6u) - 0.75f;
        float grain = lq_value_noise(x * fine + 90.0f, y * fine + 90.0f, 7u) - 0.5f;
        float broken = 1.0f + s.streak * stroke + s.grain * grain;
        float graze = (1.0f - sz) * s.edge_gain;
        float lit = row->body[i] * row->seen[i], keep = 1.0f - (1.0f - s.keep) * row->seen[i];
        float on = near * s.gain * broken * lit, out = graze * lit;
        row->red[i] = row->red[i] * keep +
                      (s.lobe_color[0] * on + s.edge_color[0] * out) * coat->light[0];
        row->green[i] = row->green[i] * keep +
                        (s.lobe_color[1] * on + s.edge_color[1] * out) * coat->light[1];
        row->blue[i] = row->blue[i] * keep +
                       (s.lobe_color[2] * on + s.edge_color[2] * out) * coat->light[2];
    }
}

static void pearl(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    static const float ice[3] = {0.62f, 0.80f, 0.94f};
    float strength = coat->number[LQ_EFFECT_STRENGTH], shift = coat->number[LQ_EFFECT_SHIFT];
    struct sheen sheen = {.keep = 1.0f - 0.38f * strength, .tight = 1.3f, .gain = 0.55f * strength,
                          .edge_gain = 0.55f * strength * shift, .streak = 0.10f, .grain = 0.05f};
    const float *edge = coat->color_count > 1 ? coat->color[1] : ice;
    for (int k = 0; k < 3; k++) {
        sheen.lobe_color[k] = coat->color_count > 0 ? coat->color[0][k]
                                                    : lerp(coat->pigment[k], 0.94f, 0.65f);
        sheen.edge_color[k] = edge[k];
    }
    sheen_row(coat, &sheen, row);
}

static void shimmer(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH], size = coat->number[LQ_EFFECT_SIZE];
    float cell = 0.035f + 0.08f * size;
    struct sheen sheen = {.keep = 1.0f - 0.35f * strength, .tight = 2.2f, .gain = 0.5f * strength,
                          .grain = 0.25f * strength};
    struct flakes flakes = {.radius = 0.42f, .present = 0.25f + 0.6f * coat->number[LQ_EFFECT_DENSITY],
                            .tilt = 0.75f, .tight = 16.0f, .matt = 0.55f,
                            .flash = 0.4f + 1.4f * strength, .turn_c = 0.83f, .turn_s = 0.557f,
                            .scale = 1.0f / cell, .seed = 31u};
    color_flakes(coat, &flakes);
    for (int k = 0; k < 3; k++)
        sheen.lobe_color[k] = flakes.color[0][k];
    sheen_row(coat, &sheen, row);
    flakes.weight = 0.55f * strength + 0.15f;
    lay_flakes(coat, row, flakes, 1.3f);
    flakes.scale *= 0.61f;
    flakes.turn_s = -flakes.turn_s;
    flakes.seed = 37u;
    flakes.present *= 0.35f;
    lay_flakes(coat, row, flakes, 1.6f);
}

static void metallic(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float gain = fminf(0.75f / fmaxf(brightest_of(coat->pigment), 0.15f), 2.2f);
    struct sheen sheen = {.keep = 1.0f - 0.62f * strength, .tight = 1.5f, .gain = 1.15f * strength,
                          .edge_gain = 0.25f * strength, .streak = 0.22f, .grain = 0.16f};
    set_color(sheen.lobe_color, coat->pigment, 0.06f, gain);
    set_color(sheen.edge_color, coat->pigment, 0.25f, gain);
    sheen_row(coat, &sheen, row);
    // The flakes that lie flattest give a second, tighter light.
    sheen = (struct sheen){.keep = 1.0f, .tight = 9.0f, .gain = 0.55f * strength, .streak = 0.3f,
                           .grain = 0.3f};
    set_color(sheen.lobe_color, coat->pigment, 0.3f, gain);
    sheen_row(coat, &sheen, row);
}

// ---- chrome: a small room in a mirror ------------------------------------------------------------

struct mirror {
    float strength, shift;
    float face[3], edge[3], ground[3];
};

static inline float band(float x, float half, float soft)
{
    float d = x < 0.0f ? -x : x;
    return lq_smooth01(lq_clamp01((half + soft - d) / soft));
}

// A bright window where the light is, a dark frame around it, a second window across, walls that
// grow lighter upwards, and below the hand itself.
LQ_HOT static void mirror_row(const struct lq_coat *coat, const struct mirror *mirror,
                              const struct lq_effect_row *row)
{
    const struct mirror m = *mirror;
    float aspect = coat->aspect, across = coat->sun_w < 0.0f ? 1.0f : -1.0f;
    for (int i = 0, n = row->count; i < n; i++) {
        float w = row->w + row->dw * (float)i, u = row->u + row->du * (float)i;
        float wave = lq_value_noise(w * 1.3f + 20.0f, u * aspect * 0.9f + 20.0f, 71u) - 0.5f;
        float sz = row->slope_z[i];
        float x = 2.0f * sz * row->slope_w[i] - coat->sun_w + 0.16f * wave;
        float y = 2.0f * sz * row->slope_u[i] - coat->sun_u + 0.10f * wave;
        float window = band(x, 0.17f, 0.10f) * band(y, 0.42f, 0.35f);
        float frame = band(x, 0.36f, 0.16f) * band(y, 0.60f, 0.35f);
        float other = band(x - 0.78f * across, 0.12f, 0.16f) * band(y + 0.05f, 0.34f, 0.4f);
        float up = lq_smooth01(lq_clamp01(0.5f + 0.75f * (y + 0.25f * x * x)));
        float wall = 0.16f + 0.34f * up - 0.13f * frame;
        float graze = (1.0f - sz) * (1.0f - sz);
        float bright = wall + 1.05f * window + 0.40f * other + 0.9f * graze;
        float turn = lq_clamp01((1.0f - sz) * 2.2f + 0.25f * wave) * m.shift;
        float low = (1.0f - up) * 0.55f, lit = 0.45f + 0.55f * row->body[i];
        float share = m.strength * row->seen[i];
        for (int k = 0; k < 3; k++) {
            float *out = k == 0 ? row->red : k == 1 ? row->green : row->blue;
            float tint = lerp(m.face[k], m.edge[k], turn);
            float room = bright * coat->light[k] + low * m.ground[k];
            out[i] = lerp(out[i], tint * room * lit, share);
        }
    }
}

static void chrome(const struct lq_coat *coat, const struct lq_effect_row *row)
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

// ---- holographic: every flake a grating ----------------------------------------------------------

// A hump of width one third of the circle, for one channel of a spectrum.
static inline float hump(float phase)
{
    float t = phase - (float)lq_floor(phase);
    t = t < 0.5f ? 2.0f * t : 2.0f - 2.0f * t;
    return lq_smooth01(lq_clamp01(1.5f * t - 0.25f));
}

LQ_HOT static void grating_row(const struct lq_coat *coat, float scale, float orders,
                               float strength, const struct lq_effect_row *row)
{
    float aspect = coat->aspect;
    for (int i = 0, n = row->count; i < n; i++) {
        float x = (row->w + row->dw * (float)i) * scale + 60.0f;
        float y = (row->u + row->du * (float)i) * aspect * scale + 60.0f;
        uint32_t h = lq_cell_hash(lq_floor(x), lq_floor(y), 53u);
        float one = lq_hash_part(h, 0, 8), two = lq_hash_part(h, 8, 8), three = lq_hash_part(h, 16, 8);
        float off = off_light(coat, row->slope_u[i] + 0.10f * (one - 0.5f),
                              row->slope_w[i] + 0.10f * (two - 0.5f), row->slope_z[i]);
        float phase = orders * sqrtf(off) + 0.10f * three;
        float far = lobe(off, 0.25f), sparkle = three * three;
        float gain = strength * row->seen[i] * row->body[i] * (0.30f + 0.85f * sparkle) * (0.35f + 0.65f * far);
        float keep = 1.0f - 0.55f * strength * row->seen[i];
        row->red[i] = row->red[i] * keep + gain * hump(phase) * coat->light[0];
        row->green[i] = row->green[i] * keep + gain * hump(phase - 0.3333f) * coat->light[1];
        row->blue[i] = row->blue[i] * keep + gain * hump(phase - 0.6667f) * coat->light[2];
    }
}

static void holographic(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    struct sheen sheen = {.keep = 0.75f, .tight = 1.6f, .gain = 0.5f, .grain = 0.2f};
    float scale = 1.0f / (0.03f + 0.10f * coat->number[LQ_EFFECT_SIZE]);
    float most = 1.0f / (1.2f * coat->pixel);
    set_color(sheen.lobe_color, coat->pigment, 0.35f, 1.2f);
    sheen_row(coat, &sheen, row);
    grating_row(coat, scale < most ? scale : most, 0.7f + 1.6f * coat->number[LQ_EFFECT_SHIFT],
                strength, row);
}

// ---- cat-eye: flakes stood up by a magnet --------------------------------------------------------

struct magnet {
    float strength, inverse_width, place, shift;
    float core[3], flank[3];
};

LQ_HOT static void magnet_row(const struct lq_coat *coat, const struct magnet *magnet,
                              const struct lq_effect_row *row)
{
    const struct magnet m = *magnet;
    float aspect = coat->aspect, fine = 0.5f / coat->pixel;
    fine = fine < 34.0f ? fine : 34.0f;
    for (int i = 0, n = row->count; i < n; i++) {
        float w = row->w + row->dw * (float)i, u = row->u + row->du * (float)i;
        float x = w * coat->turn_c - u * aspect * coat->turn_s;
        float y = w * coat->turn_s + u * aspect * coat->turn_c;
        // The band bows a little and runs ahead of the light: it lies below the surface.
        float t = x - m.place - 0.05f * y * y + 0.22f * coat->sun_w;
        float grain = lq_value_noise(w * fine + 70.0f, u * aspect * fine + 70.0f, 91u) - 0.5f;
        float soft = lq_value_noise(w * 3.0f + 30.0f, u * aspect * 1.5f + 30.0f, 92u) - 0.5f;
        float d = t * m.inverse_width * (1.0f + 0.35f * soft);
        float core = lobe(d * d, 1.0f), glow = 1.0f / (1.0f + 0.22f * d * d);
        float ends = 1.0f - 0.30f * u * u;
        float share = m.strength * row->seen[i], lit = row->body[i] * (1.0f + 0.9f * grain * glow);
        float dark = 1.0f - share * (0.80f - 0.55f * glow);
        float turn = m.shift * lq_clamp01(1.0f - core * 1.4f);
        float on = share * lit * (0.85f * core * ends + 0.16f * glow);
        row->red[i] = row->red[i] * dark + lerp(m.core[0], m.flank[0], turn) * on * coat->light[0];
        row->green[i] = row->green[i] * dark + lerp(m.core[1], m.flank[1], turn) * on * coat->light[1];
        row->blue[i] = row->blue[i] * dark + lerp(m.core[2], m.flank[2], turn) * on * coat->light[2];
    }
}

static void cat_eye(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float gain = fminf(0.85f / fmaxf(brightest_of(coat->pigment), 0.1f), 6.0f);
    struct magnet magnet = {.strength = coat->number[LQ_EFFECT_STRENGTH],
                            .inverse_width = 1.0f / (0.07f + 0.45f * coat->number[LQ_EFFECT_WIDTH]),
                            .place = 1.6f * (coat->number[LQ_EFFECT_OFFSET] - 0.5f),
                            .shift = coat->number[LQ_EFFECT_SHIFT]};
    for (int k = 0; k < 3; k++) {
        magnet.core[k] = coat->color_count > 0 ? coat->color[0][k]
                                               : lerp(coat->pigment[k] * gain, 0.94f, 0.22f);
        magnet.flank[k] = coat->color_count > 1 ? coat->color[1][k] : coat->pigment[(k + 1) % 3] * gain;
    }
    magnet_row(coat, &magnet, row);
}

// ---- textured: sand under the polish -------------------------------------------------------------

LQ_HOT static void relief_row(const struct lq_coat *coat, float scale, float strength,
                              const struct lq_effect_row *row)
{
    float aspect = coat->aspect, reach = 0.45f;
    float length = sqrtf(coat->sun_u * coat->sun_u + coat->sun_w * coat->sun_w) + 0.05f;
    float ox = reach * coat->sun_w / length, oy = reach * coat->sun_u / length;
    for (int i = 0, n = row->count; i < n; i++) {
        float x = (row->w + row->dw * (float)i) * scale + 50.0f;
        float y = (row->u + row->du * (float)i) * aspect * scale + 50.0f;
        float here = lq_value_noise(x, y, 131u), there = lq_value_noise(x + ox, y + oy, 131u);
        float relief = (here - there) * 1.5f + 0.35f * (here - 0.5f);
        float lit = 1.0f + strength * row->seen[i] * relief;
        lit = lit > 0.15f ? lit : 0.15f;
        row->red[i] *= lit;
        row->green[i] *= lit;
        row->blue[i] *= lit;
    }
}

static void textured(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH], cell = 0.06f + 0.16f * coat->number[LQ_EFFECT_SIZE];
    float scale = 1.0f / cell, most = 0.5f / coat->pixel;
    struct flakes sugar = {.scale = 1.7f / cell, .radius = 0.36f, .present = 0.5f, .tilt = 0.9f,
                           .tight = 20.0f, .matt = 0.75f, .flash = 1.2f, .weight = 0.6f * strength,
                           .turn_c = 0.9f, .turn_s = 0.436f, .seed = 151u, .color_count = 1};
    set_color(sugar.color[0], coat->pigment, 0.18f, 1.15f);
    relief_row(coat, scale < most ? scale : most, strength, row);
    lay_flakes(coat, row, sugar, 1.6f);
}

void lq_effect_apply(const struct lq_coat *coat, const struct lq_effect_row *row)
{
    static void (*const effects[LQ_FINISH_COUNT])(const struct lq_coat *,
                                                  const struct lq_effect_row *) = {
        [LQ_FINISH_PEARL] = pearl,       [LQ_FINISH_SHIMMER] = shimmer,
        [LQ_FINISH_GLITTER] = glitter,   [LQ_FINISH_METALLIC] = metallic,
        [LQ_FINISH_CHROME] = chrome,     [LQ_FINISH_HOLOGRAPHIC] = holographic,
        [LQ_FINISH_CAT_EYE] = cat_eye,   [LQ_FINISH_TEXTURED] = textured,
    };
    if (effects[coat->finish])
        effects[coat->finish](coat, row);
}
