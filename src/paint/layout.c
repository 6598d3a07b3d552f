#include "paint/layout.h"

#include <math.h>

#include "paint/noise.h"
#include "paint/pattern.h"

static void fill(float *row, float value, int n)
{
    for (int i = 0; i < n; i++)
        row[i] = value;
}

// Blends in square-root light, where the middle of the gradient is neither dark nor milky.
LQ_HOT static void ombre_row(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float *restrict red = row->pigment[0], *restrict green = row->pigment[1];
    float *restrict blue = row->pigment[2];
    const int n = row->place->count;
    float from = coat->ombre.from, scale = 1.0f / fmaxf(coat->ombre.to - from, 0.01f);
    float a[3], b[3];
    for (int k = 0; k < 3; k++) {
        a[k] = sqrtf(coat->pigment[k]);
        b[k] = sqrtf(coat->ombre_color[k]) - a[k];
    }
    float u0 = row->place->u * coat->whole_u + coat->whole_u0;
    float step = row->place->du * coat->whole_u;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float along = 0.5f + 0.5f * (u0 + step * (float)i);
        float t = lq_smooth01(lq_clamp01((along - from) * scale));
        float r = a[0] + b[0] * t, g = a[1] + b[1] * t, l = a[2] + b[2] * t;
        red[i] = r * r;
        green[i] = g * g;
        blue[i] = l * l;
    }
}

// The line of a French tip at w, in u of the whole nail.
static inline float french_line(enum lq_french_shape shape, float middle, float curve, float w)
{
    float out = w < 0.0f ? -w : w;
    switch (shape) {
    case LQ_FRENCH_SMILE:
        return middle - 0.60f * curve * w * w;
    case LQ_FRENCH_CHEVRON:
        return middle + 0.9f * curve * (out - 0.5f);
    case LQ_FRENCH_DIAGONAL:
        return middle + 0.6f * curve * w;
    default:
        return middle;
    }
}

LQ_HOT static void french_row(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    float *restrict red = row->pigment[0], *restrict green = row->pigment[1];
    float *restrict blue = row->pigment[2], *restrict hide = row->hide, *restrict seen = row->seen;
    const float w = row->place->w, dw = row->place->dw;
    const float tip_r = coat->french_color[0], tip_g = coat->french_color[1];
    const float tip_b = coat->french_color[2];
    const int n = row->place->count;
    float middle = 1.0f - 2.0f * coat->french.width, curve = coat->french.curve;
    enum lq_french_shape shape = coat->french.shape;
    float sharp = coat->aspect / ((coat->pixel + 0.5f * coat->blur) * coat->whole_u);
    float u0 = row->place->u * coat->whole_u + coat->whole_u0;
    float step = row->place->du * coat->whole_u;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float along = u0 + step * (float)i, across = w + dw * (float)i;
        float line = french_line(shape, middle, curve, across);
        float tip = lq_clamp01((along - line) * sharp + 0.5f);
        red[i] += (tip_r - red[i]) * tip;
        green[i] += (tip_g - green[i]) * tip;
        blue[i] += (tip_b - blue[i]) * tip;
        hide[i] += (1.0f - hide[i]) * tip;
        seen[i] *= 1.0f - tip;
    }
}

// Replaces the pattern's own colours by one.
static void dye_row(const float color[3], const float *restrict alpha,
                    const struct lq_rgb_row *row)
{
    float *restrict red = row->red, *restrict green = row->green, *restrict blue = row->blue;
    const float r = color[0], g = color[1], b = color[2];
    const int n = row->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        red[i] = r * alpha[i];
        green[i] = g * alpha[i];
        blue[i] = b * alpha[i];
    }
}

static void pattern_row(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    enum { BLOCK = 128 };
    float x[BLOCK], y[BLOCK], r[BLOCK], g[BLOCK], b[BLOCK], a[BLOCK];
    float *red = row->pigment[0], *green = row->pigment[1], *blue = row->pigment[2];
    float *hide = row->hide, *seen = row->seen;
    const struct lq_nail_row *place = row->place;
    for (int from = 0; from < place->count; from += BLOCK) {
        int count = place->count - from < BLOCK ? place->count - from : BLOCK;
        const struct lq_rgb_row colors = {r, g, b, count};
        for (int i = 0; i < count; i++) {
            float along = place->u + place->du * (float)(from + i);
            float across = place->w + place->dw * (float)(from + i);
            x[i] = 0.5f + 0.5f * across;
            y[i] = (0.5f - 0.5f * (along * coat->whole_u + coat->whole_u0)) * coat->pattern_span;
        }
        lq_pattern_read(coat->pattern, x, y, &colors, a);
        if (coat->pattern_dyed)
            dye_row(coat->pattern_color, a, &colors);
        for (int i = 0; i < count; i++) {
            float opacity = coat->pattern_opacity, rest = 1.0f - a[i] * opacity;
            red[from + i] = red[from + i] * rest + r[i] * opacity;
            green[from + i] = green[from + i] * rest + g[i] * opacity;
            blue[from + i] = blue[from + i] * rest + b[i] * opacity;
            hide[from + i] += (1.0f - hide[from + i]) * (1.0f - rest);
            seen[from + i] *= rest;
        }
    }
}

void lq_layout_row(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    int n = row->place->count;
    fill(row->hide, coat->hide, n);
    fill(row->seen, 1.0f, n);
    if (coat->ombre.on)
        ombre_row(coat, row);
    for (int k = 0; k < 3 && !coat->ombre.on; k++)
        fill(row->pigment[k], coat->pigment[k], n);
    if (coat->french.on)
        french_row(coat, row);
    if (coat->pattern)
        pattern_row(coat, row);
}
