#include "paint/layout.h"

#include <math.h>

#include "paint/noise.h"
#include "paint/pattern.h"

static void fill(float *row, float value, int n)
{
    for (int i = 0; i < n; i++)
        row[i] = value;
}

// Blends in square-root light: the middle of a change is then neither dark nor milky.
LQ_HOT static void ombre_row(const struct lq_coat *coat, float u, float du, int n,
                             float *restrict red, float *restrict green, float *restrict blue)
{
    float from = coat->ombre.from, scale = 1.0f / fmaxf(coat->ombre.to - from, 0.01f);
    float a[3], b[3];
    for (int k = 0; k < 3; k++) {
        a[k] = sqrtf(coat->pigment[k]);
        b[k] = sqrtf(coat->ombre_color[k]) - a[k];
    }
    float u0 = u * coat->whole_u + coat->whole_u0, step = du * coat->whole_u;
    for (int i = 0; i < n; i++) {
        float along = 0.5f + 0.5f * (u0 + step * (float)i);
        float t = lq_smooth01(lq_clamp01((along - from) * scale));
        float r = a[0] + b[0] * t, g = a[1] + b[1] * t, l = a[2] + b[2] * t;
        red[i] = r * r;
        green[i] = g * g;
        blue[i] = l * l;
    }
}

// Where the tip's line lies at w, in u of the whole nail.
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

LQ_HOT static void french_row(const struct lq_coat *coat, float u, float w, float du, float dw,
                              int n, float *restrict red, float *restrict green,
                              float *restrict blue, float *restrict hide, float *restrict seen)
{
    float middle = 1.0f - 2.0f * coat->french.width, curve = coat->french.curve;
    enum lq_french_shape shape = coat->french.shape;
    float sharp = coat->aspect / ((coat->pixel + 0.5f * coat->blur) * coat->whole_u);
    float u0 = u * coat->whole_u + coat->whole_u0, step = du * coat->whole_u;
    for (int i = 0; i < n; i++) {
        float along = u0 + step * (float)i, across = w + dw * (float)i;
        float line = french_line(shape, middle, curve, across);
        float tip = lq_clamp01((along - line) * sharp + 0.5f);
        red[i] += (coat->french_color[0] - red[i]) * tip;
        green[i] += (coat->french_color[1] - green[i]) * tip;
        blue[i] += (coat->french_color[2] - blue[i]) * tip;
        hide[i] += (1.0f - hide[i]) * tip;
        seen[i] *= 1.0f - tip;
    }
}

// The pattern's own colours give way to one.
static void dye_row(const float color[3], int n, float *restrict red, float *restrict green,
                    float *restrict blue, const float *restrict alpha)
{
    for (int i = 0; i < n; i++) {
        red[i] = color[0] * alpha[i];
        green[i] = color[1] * alpha[i];
        blue[i] = color[2] * alpha[i];
    }
}

static void pattern_row(const struct lq_coat *coat, float u, float w, float du, float dw, int n,
                        float *red, float *green, float *blue, float *hide, float *seen)
{
    enum { BLOCK = 128 };
    float x[BLOCK], y[BLOCK], r[BLOCK], g[BLOCK], b[BLOCK], a[BLOCK];
    for (int from = 0; from < n; from += BLOCK) {
        int count = n - from < BLOCK ? n - from : BLOCK;
        for (int i = 0; i < count; i++) {
            float along = u + du * (float)(from + i), across = w + dw * (float)(from + i);
            x[i] = 0.5f + 0.5f * across;
            y[i] = (0.5f - 0.5f * (along * coat->whole_u + coat->whole_u0)) * coat->pattern_span;
        }
        lq_pattern_read(coat->pattern, x, y, count, r, g, b, a);
        if (coat->pattern_dyed)
            dye_row(coat->pattern_color, count, r, g, b, a);
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

void lq_layout_row(const struct lq_coat *coat, float u, float w, float du, float dw, int n,
                   float *red, float *green, float *blue, float *hide, float *seen)
{
    fill(hide, coat->hide, n);
    fill(seen, 1.0f, n);
    if (coat->ombre.on) {
        ombre_row(coat, u, du, n, red, green, blue);
    } else {
        fill(red, coat->pigment[0], n);
        fill(green, coat->pigment[1], n);
        fill(blue, coat->pigment[2], n);
    }
    if (coat->french.on)
        french_row(coat, u, w, du, dw, n, red, green, blue, hide, seen);
    if (coat->pattern)
        pattern_row(coat, u, w, du, dw, n, red, green, blue, hide, seen);
}
