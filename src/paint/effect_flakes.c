// Glitter, and flakes for other effects: at most one hexagon per cell.
#include "paint/effect_parts.h"

// The palette's colour number `which` (0 <= which < 4). Selects it without a table, as table
// look-ups do not vectorise.
static inline float choose(float which, float a, float b, float c, float d)
{
    float low = which < 1.0f ? a : b, high = which < 3.0f ? c : d;
    return which < 2.0f ? low : high;
}

// Draws hexagons; the hash of a cell gives position, tilt, rotation and colour of its flake.
LQ_HOT static void flake_row(const struct lq_coat *coat, const struct lq_flakes *flakes,
                             const struct lq_polish_row *row)
{
    ROW_LOCALS;
    const struct lq_flakes f = *flakes;
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
        // Rotates by the half-angle formula, which needs no sine; and shares one division between
        // the rotation and the lobe.
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

// In a blurred picture flakes blend into each other: less tilt, more and larger flakes, and less
// weight for each.
static void calm_flakes(struct lq_flakes *flakes, float calm)
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
                       struct lq_flakes flakes)
{
    if (coat->blur > 0.0f)
        calm_flakes(&flakes, calm_at(coat, flakes.scale));
    flake_row(coat, &flakes, row);
}

void lq_flakes_lay(const struct lq_coat *coat, const struct lq_polish_row *row,
                   struct lq_flakes flakes, float least_pixels)
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

void lq_flakes_color(const struct lq_coat *coat, struct lq_flakes *flakes)
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

// Darkens the polish between the flakes, which shade it.
LQ_HOT static void shadow_row(float depth, const struct lq_polish_row *row)
{
    const float *restrict seen = row->seen;
    float *restrict red = row->painted[0], *restrict green = row->painted[1];
    float *restrict blue = row->painted[2];
    const int n = row->place->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float lit = 1.0f - depth * seen[i];
        red[i] *= lit;
        green[i] *= lit;
        blue[i] *= lit;
    }
}

void lq_effect_glitter(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float size = coat->number[LQ_EFFECT_SIZE], density = coat->number[LQ_EFFECT_DENSITY];
    float strength = coat->number[LQ_EFFECT_STRENGTH];
    float cell = 0.07f + 0.22f * size * size + 0.08f * size;
    struct lq_flakes flakes = {.radius = 0.46f, .present = 0.35f + 0.65f * density, .tilt = 0.8f,
                               .tight = 5.0f, .matt = 0.32f, .vary = 0.7f,
                               .flash = 0.8f + 1.6f * strength, .pale = 0.25f};
    static const struct {
        float scale, weight, c, s;
    } layers[] = {{2.7f, 0.95f, 0.88f, 0.47f}, {1.7f, 0.97f, 0.62f, -0.78f},
                  {1.0f, 1.0f, 0.97f, 0.22f}};
    lq_flakes_color(coat, &flakes);
    shadow_row(0.5f * density, row);
    for (uint32_t i = 0; i < LQ_COUNT(layers); i++) {
        flakes.scale = layers[i].scale / cell;
        flakes.weight = layers[i].weight;
        flakes.turn_c = layers[i].c;
        flakes.turn_s = layers[i].s;
        flakes.seed = 11u + i;
        if (i == 2)
            flakes.present *= 0.5f;
        lq_flakes_lay(coat, row, flakes, 2.0f);
    }
    // Fills the gaps with tiny flashing flakes, where the picture's resolution can show them.
    flakes.scale = 5.2f / cell;
    flakes.weight = lq_clamp01(2.0f - 1.2f * coat->pixel * flakes.scale);
    if (flakes.weight <= 0.0f)
        return;
    flakes.matt = 0.5f;
    flakes.tight = 14.0f;
    flakes.flash *= 1.5f;
    flakes.present = 0.22f * density;
    flakes.seed = 23u;
    lq_flakes_lay(coat, row, flakes, 1.2f);
}
