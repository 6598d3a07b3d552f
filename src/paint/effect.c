#include "paint/effect.h"

#include <math.h>

#include "paint/noise.h"

// ---- helpers ------------------------------------------------------------------------------------

// Squared distance of the view's reflection from the light's, both in the nail's plane: 0 where the
// surface mirrors the light.
static inline float off_light(float su, float sw, float sz, float sun_u, float sun_w)
{
    float a = 2.0f * sz * sw - sun_w, b = 2.0f * sz * su - sun_u;
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

// Pointers and numbers of a row as locals: nothing written changes them, and with LQ_IVDEP, which
// says that rows do not overlap, the compiler makes vectors of the loop.
#define ROW_LOCALS                                                                                \
    const float *restrict slope_u = row->slope_u, *restrict slope_w = row->slope_w;               \
    const float *restrict slope_z = row->slope_z, *restrict body = row->body;                     \
    const float *restrict seen = row->seen;                                                       \
    float *restrict red = row->painted[0], *restrict green = row->painted[1];                     \
    float *restrict blue = row->painted[2];                                                       \
    const float row_u = row->place.u, row_w = row->place.w;                                       \
    const float row_du = row->place.du, row_dw = row->place.dw;                                   \
    const float sun_u = coat->sun_u, sun_w = coat->sun_w, aspect = coat->aspect;                  \
    const float light_r = coat->light[0], light_g = coat->light[1], light_b = coat->light[2];     \
    const int n = row->place.count;                                                               \
    (void)slope_u, (void)slope_w, (void)slope_z, (void)body, (void)row_u, (void)row_w,            \
        (void)row_du, (void)row_dw, (void)sun_u, (void)sun_w, (void)aspect, (void)light_r,        \
        (void)light_g, (void)light_b

// ---- flakes -------------------------------------------------------------------------------------

// One layer of flakes: a flake a cell, where there is one. Points are in half breadths.
struct flakes {
    float scale;     // cells a half breadth
    float radius;    // of a flake, in cells
    float present;   // share of cells that hold one
    float tilt;      // how far flakes lean out of the surface
    float tight;     // of their flash
    float matt;      // what they send back of light from everywhere
    float vary;      // … and how far that differs from flake to flake
    float flash;     // … and of the light itself
    float pale;      // 0..1: how white that is
    float weight;    // of the layer
    float turn_c, turn_s; // the grid, turned
    uint32_t seed;
    int color_count;
    float color[LQ_EFFECT_COLORS_MAX][3];
};

// The palette's colour at 0 <= which < 4, without a table: tables do not go into vectors.
static inline float choose(float which, float a, float b, float c, float d)
{
    float low = which < 1.0f ? a : b, high = which < 3.0f ? c : d;
    return which < 2.0f ? low : high;
}

// Hexagons, each in a place, a lean, a turn and a colour of its own; all from its cell's number.
LQ_HOT static void flake_row(const struct lq_coat *coat, const struct flakes *flakes,
                             const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct flakes f = *flakes;
    float x0 = row_w * f.scale, y0 = row_u * aspect * f.scale;
    float dx = row_dw * f.scale, dy = row_du * aspect * f.scale;
    float sharp = 1.0f / (coat->pixel * f.scale), counted = (float)f.color_count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float px = x0 + dx * (float)i, py = y0 + dy * (float)i;
        float qx = px * f.turn_c + py * f.turn_s, qy = py * f.turn_c - px * f.turn_s;
        int32_t ix = lq_floor(qx), iy = lq_floor(qy);
        uint32_t h = lq_cell_hash(ix, iy, f.seed);
        float here = lq_hash_part(h, 0, 6) < f.present ? f.weight : 0.0f;
        float radius = f.radius * (0.6f + 0.4f * lq_hash_part(h, 17, 4));
        float room = 1.0f - 2.0f * radius;
        float jx = radius + room * lq_hash_part(h, 6, 4);
        float jy = radius + room * lq_hash_part(h, 10, 4);
        float tw = 2.0f * lq_hash_part(h, 14, 5) - 1.0f, tu = 2.0f * lq_hash_part(h, 19, 5) - 1.0f;
        float pick = lq_hash_part(h, 24, 8) * 0.999f;
        float rw = 2.0f * slope_z[i] * slope_w[i] + tw * f.tilt - sun_w;
        float ru = 2.0f * slope_z[i] * slope_u[i] + tu * f.tilt - sun_u;
        // A turn by the tangent of its half: no sine needed. And one division for both it and the
        // lobe.
        float t = tw * 0.6f + tu * 0.4f, turned = 1.0f + t * t;
        float away = 1.0f + f.tight * (rw * rw + ru * ru), both = 1.0f / (turned * away);
        float inverse = away * both, near = turned * both;
        float c = (1.0f - t * t) * inverse, s = 2.0f * t * inverse;
        float ax = qx - (float)ix - jx, ay = qy - (float)iy - jy;
        float bx = ax * c + ay * s, by = ay * c - ax * s;
        bx = bx < 0.0f ? -bx : bx;
        by = by < 0.0f ? -by : by;
        float side = 0.8660254f * bx + 0.5f * by, edge = by > side ? by : side;
        float cover = lq_clamp01((radius - edge) * sharp + 0.5f) * here * seen[i];
        float flash = near * near * f.flash;
        float dull = f.matt * (1.0f + f.vary * (2.0f * lq_hash_part(h, 20, 4) - 1.0f));
        float which = pick * counted;
        float lit = body[i];
        float cr = choose(which, f.color[0][0], f.color[1][0], f.color[2][0], f.color[3][0]);
        float cg = choose(which, f.color[0][1], f.color[1][1], f.color[2][1], f.color[3][1]);
        float cb = choose(which, f.color[0][2], f.color[1][2], f.color[2][2], f.color[3][2]);
        float white = f.pale * flash, colored = dull + (1.0f - f.pale) * flash;
        red[i] = lerp(red[i], (cr * colored + white) * light_r * lit, cover);
        green[i] = lerp(green[i], (cg * colored + white) * light_g * lit, cover);
        blue[i] = lerp(blue[i], (cb * colored + white) * light_b * lit, cover);
    }
}

// What a soft picture leaves of the contrast of flakes of that scale.
static float calm_at(const struct lq_coat *coat, float scale)
{
    return 1.0f / (1.0f + coat->blur * scale);
}

// In a soft picture flakes run into one another: they lean less, are of one colour, and fill their
// cells with less of each.
static void calm_flakes(struct flakes *flakes, float calm)
{
    float present = lerp(1.0f, flakes->present, calm), radius = lerp(0.9f, flakes->radius, calm);
    float filled = flakes->radius / radius;
    flakes->weight *= flakes->present / present * filled * filled;
    flakes->present = present;
    flakes->radius = radius;
    flakes->tilt *= calm;
    flakes->vary *= calm;
    for (int k = 0; k < 3; k++) {
        float mean = 0.0f;
        for (int i = 0; i < flakes->color_count; i++)
            mean += flakes->color[i][k] / (float)flakes->color_count;
        for (int i = 0; i < flakes->color_count; i++)
            flakes->color[i][k] = lerp(mean, flakes->color[i][k], calm);
    }
}

static void lay_octave(const struct lq_coat *coat, const struct lq_polish_row *row,
                       struct flakes flakes)
{
    if (coat->blur > 0.0f)
        calm_flakes(&flakes, calm_at(coat, flakes.scale));
    flake_row(coat, &flakes, row);
}

// Flakes too small for the picture's pixels become larger ones, an octave at a time, faded over, so
// that nothing jumps when a hand comes nearer.
static void lay_flakes(const struct lq_coat *coat, const struct lq_polish_row *row,
                       struct flakes flakes, float least_pixels)
{
    float wanted = least_pixels * coat->pixel * flakes.scale;
    float octave = wanted > 1.0f ? log2f(wanted) : 0.0f, whole = floorf(octave);
    float far = octave - whole, weight = flakes.weight;
    flakes.scale *= exp2f(-whole);
    flakes.weight = weight * (1.0f - far);
    lay_octave(coat, row, flakes);
    if (far < 0.01f)
        return;
    flakes.scale *= 0.5f;
    flakes.seed += 101u;
    flakes.weight = weight * far;
    lay_octave(coat, row, flakes);
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
    set_color(flakes->color[1], coat->pigment, 0.28f, gain);
    set_color(flakes->color[2], coat->pigment, 0.02f, 0.5f * gain);
}

// The polish between the flakes lies in their shadow.
LQ_HOT static void shadow_row(float depth, const struct lq_polish_row *row)
{
    const float *restrict seen = row->seen;
    float *restrict red = row->painted[0], *restrict green = row->painted[1];
    float *restrict blue = row->painted[2];
    const int n = row->place.count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float lit = 1.0f - depth * seen[i];
        red[i] *= lit;
        green[i] *= lit;
        blue[i] *= lit;
    }
}

static void glitter(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float size = coat->number[LQ_EFFECT_SIZE], density = coat->number[LQ_EFFECT_DENSITY];
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float cell = 0.07f + 0.22f * size * size + 0.08f * size;
    struct flakes flakes = {.radius = 0.46f, .present = 0.35f + 0.65f * density, .tilt = 0.8f,
                            .tight = 5.0f, .matt = 0.32f, .vary = 0.7f,
                            .flash = 0.8f + 1.6f * strength,
                            .pale = 0.25f};
    static const struct {
        float scale, weight, c, s;
    } layers[] = {{2.7f, 0.95f, 0.88f, 0.47f}, {1.7f, 0.97f, 0.62f, -0.78f},
                  {1.0f, 1.0f, 0.97f, 0.22f}};
    color_flakes(coat, &flakes);
    shadow_row(0.5f * density, row);
    for (uint32_t i = 0; i < LQ_COUNT(layers); i++) {
        flakes.scale = layers[i].scale / cell;
        flakes.weight = layers[i].weight;
        flakes.turn_c = layers[i].c;
        flakes.turn_s = layers[i].s;
        flakes.seed = 11u + i;
        if (i == 2)
            flakes.present *= 0.5f;
        lay_flakes(coat, row, flakes, 2.0f);
    }
    // Dust that only flashes fills what is left, where the picture can show it.
    flakes.scale = 5.2f / cell;
    flakes.weight = lq_clamp01(2.0f - 1.2f * coat->pixel * flakes.scale);
    if (flakes.weight <= 0.0f)
        return;
    flakes.matt = 0.5f;
    flakes.tight = 14.0f;
    flakes.flash *= 1.5f;
    flakes.present = 0.22f * density;
    flakes.seed = 23u;
    lay_flakes(coat, row, flakes, 1.2f);
}

// ---- pearl, shimmer, metal: fine flakes that lie flat, seen as one ------------------------------

struct sheen {
    float keep;           // of the body
    float tight, gain;    // of the broad lobe, times `lobe_color`
    float edge_gain;      // at grazing angles, times `edge_color`
    float streak, grain;  // how far brush strokes and flakes break it up
    float lobe_color[3], edge_color[3];
};

LQ_HOT static void sheen_row(const struct lq_coat *coat, const struct sheen *sheen,
                             const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct sheen s = *sheen;
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

static void pearl(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    static const float ice[3] = {0.62f, 0.80f, 0.94f};
    float strength = coat->number[LQ_EFFECT_STRENGTH], shift = coat->number[LQ_EFFECT_SHIFT];
    float gain = fminf(0.8f / fmaxf(brightest_of(coat->pigment), 0.15f), 2.5f);
    struct sheen sheen = {.keep = 1.0f - 0.22f * strength, .tight = 2.0f, .gain = 0.62f * strength,
                          .edge_gain = 0.45f * strength * shift, .streak = 0.16f, .grain = 0.07f};
    const float *edge = coat->color_count > 1 ? coat->color[1] : ice;
    for (int k = 0; k < 3; k++) {
        sheen.lobe_color[k] = coat->color_count > 0 ? coat->color[0][k]
                                                    : lerp(coat->pigment[k] * gain, 0.94f, 0.38f);
        sheen.edge_color[k] = coat->color_count > 1 ? edge[k]
                                                    : 0.4f * edge[k] + 0.6f * coat->pigment[k];
    }
    sheen_row(coat, &sheen, row);
}

static void shimmer(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH], size = coat->number[LQ_EFFECT_SIZE];
    float cell = 0.022f + 0.065f * size;
    struct sheen sheen = {.keep = 1.0f - 0.30f * strength, .tight = 2.4f, .gain = 0.55f * strength,
                          .grain = 0.5f * strength};
    struct flakes flakes = {.radius = 0.40f,
                            .present = 0.2f + 0.5f * coat->number[LQ_EFFECT_DENSITY],
                            .tilt = 0.85f, .tight = 11.0f, .matt = 0.62f, .vary = 0.3f,
                            .flash = 0.5f + 1.6f * strength, .pale = 0.3f, .turn_c = 0.83f,
                            .turn_s = 0.557f, .scale = 1.0f / cell, .seed = 31u};
    color_flakes(coat, &flakes);
    for (int k = 0; k < 3; k++)
        sheen.lobe_color[k] = flakes.color[0][k];
    sheen_row(coat, &sheen, row);
    flakes.weight = 0.35f + 0.4f * strength;
    lay_flakes(coat, row, flakes, 1.2f);
    flakes.scale *= 0.58f;
    flakes.turn_s = -flakes.turn_s;
    flakes.seed = 37u;
    flakes.present *= 0.22f;
    flakes.flash *= 1.4f;
    lay_flakes(coat, row, flakes, 1.4f);
}

static void metallic(const struct lq_coat *coat, const struct lq_polish_row *row)
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

// ---- chrome: a small room in a mirror -----------------------------------------------------------

struct mirror {
    float strength, shift;
    float face[3], edge[3], ground[3];
};

static inline float band(float x, float half, float soft)
{
    float d = x < 0.0f ? -x : x;
    return lq_smooth01(lq_clamp01((half + soft - d) / soft));
}

// One channel of what the metal sends back.
static inline float mirrored(float face, float edge, float turn, float white, float room,
                             float ground)
{
    return lerp(lerp(face, edge, turn), 0.94f, white) * (room + ground);
}

// The surroundings, a lamp that stands upright among them with darker walls about it, and below
// them the hand itself. Bright light hides the metal's colour. Across, places go by the angle of
// the reflection (close to 2 asin of the slope), not by its sine: that hardly changes on the
// flanks, and a lamp seen there would fill half the nail.
LQ_HOT static void mirror_row(const struct lq_coat *coat, const struct mirror *mirror,
                              const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct mirror m = *mirror;
    const struct lq_glimpse glimpse = coat->glimpse;
    const float axis_x = coat->axis_x, axis_y = coat->axis_y;
    // Every nail stands elsewhere in the room and mirrors another part of it.
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

static void chrome(const struct lq_coat *coat, const struct lq_polish_row *row)
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

// ---- holographic: every flake a grating ---------------------------------------------------------

// A hump of width one third of the circle, for one channel of a spectrum.
static inline float hump(float phase)
{
    float t = phase - (float)lq_floor(phase);
    t = t < 0.5f ? 2.0f * t : 2.0f - 2.0f * t;
    return 0.2f + 0.8f * lq_smooth01(lq_clamp01(1.5f * t - 0.25f));
}

// Lying in a line they make one rainbow around the light, paler than a prism's, for light comes
// from more than one place; far from it the polish's own colour is left. Each also has a phase of
// its own.
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
        red[i] = red[i] * keep +
                      (smooth * hump(phase) + grains * hump(flake)) * light_r;
        green[i] = green[i] * keep + (smooth * hump(phase - 0.3333f) +
                                                grains * hump(flake - 0.3333f)) * light_g;
        blue[i] = blue[i] * keep + (smooth * hump(phase - 0.6667f) +
                                              grains * hump(flake - 0.6667f)) * light_b;
    }
}

static void holographic(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    struct sheen sheen = {.keep = 0.72f, .tight = 1.8f, .gain = 0.55f, .grain = 0.25f};
    float scale = 1.0f / (0.012f + 0.05f * coat->number[LQ_EFFECT_SIZE]);
    float most = 1.0f / (1.2f * coat->pixel);
    set_color(sheen.lobe_color, coat->pigment, 0.35f, 1.2f);
    sheen_row(coat, &sheen, row);
    grating_row(coat, scale < most ? scale : most, 0.6f + 1.4f * coat->number[LQ_EFFECT_SHIFT],
                strength, row);
}

// ---- cat-eye: flakes stood up by a magnet -------------------------------------------------------

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
    // Small nails show the band, not the flakes in it.
    float rough = 0.9f * fine * (1.0f / 34.0f) * calm_at(coat, fine);
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float w = row_w + row_dw * (float)i, u = row_u + row_du * (float)i;
        float x = w * turn_c - u * aspect * turn_s;
        float y = w * turn_s + u * aspect * turn_c;
        // The band bows a little and runs ahead of the light: it lies below the surface.
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

static void cat_eye(const struct lq_coat *coat, const struct lq_polish_row *row)
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

// ---- textured: sand under the polish ------------------------------------------------------------

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
        // Turned, so that no cell lies along the nail.
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

static void textured(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float cell = 0.03f + 0.11f * coat->number[LQ_EFFECT_SIZE];
    float scale = 1.0f / cell, most = 0.5f / coat->pixel;
    struct flakes sugar = {.scale = 1.3f / cell, .radius = 0.38f, .present = 0.30f, .tilt = 1.0f,
                           .tight = 14.0f, .matt = 0.8f, .flash = 1.6f, .pale = 0.5f,
                           .weight = 0.75f * strength,
                           .turn_c = 0.9f, .turn_s = 0.436f, .seed = 151u, .color_count = 1};
    set_color(sugar.color[0], coat->pigment, 0.18f, 1.15f);
    scale = scale < most ? scale : most;
    relief_row(coat, scale, strength * calm_at(coat, scale), row);
    lay_flakes(coat, row, sugar, 1.6f);
}

void lq_effect_apply(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    static void (*const effects[LQ_FINISH_COUNT])(const struct lq_coat *,
                                                  const struct lq_polish_row *) = {
        [LQ_FINISH_PEARL] = pearl,       [LQ_FINISH_SHIMMER] = shimmer,
        [LQ_FINISH_GLITTER] = glitter,   [LQ_FINISH_METALLIC] = metallic,
        [LQ_FINISH_CHROME] = chrome,     [LQ_FINISH_HOLOGRAPHIC] = holographic,
        [LQ_FINISH_CAT_EYE] = cat_eye,   [LQ_FINISH_TEXTURED] = textured,
    };
    if (effects[coat->finish])
        effects[coat->finish](coat, row);
}
