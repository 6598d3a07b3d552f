#include "paint/extend.h"

#include <math.h>
#include <string.h>

#include "paint/noise.h"
#include "paint/shade.h"

// A shape's outline. Its half width is 1 - taper * t^power, where t goes from 0, where it begins to
// narrow, to 1 at its end; the last `cap` of it is rounded by a superellipse of exponent `round`.
static const struct {
    float taper, power, cap, round;
} SHAPES[LQ_SHAPE_COUNT] = {
    [LQ_SHAPE_SQUARE] = {0.00f, 1.0f, 0.05f, 2.5f},
    [LQ_SHAPE_SQUOVAL] = {0.05f, 2.0f, 0.22f, 2.6f},
    [LQ_SHAPE_OVAL] = {0.10f, 2.0f, 0.52f, 2.0f},
    [LQ_SHAPE_ALMOND] = {0.48f, 1.7f, 0.38f, 2.0f},
    [LQ_SHAPE_STILETTO] = {0.90f, 1.15f, 0.06f, 2.0f},
    [LQ_SHAPE_COFFIN] = {0.46f, 1.4f, 0.05f, 3.0f},
};

// The extension begins on the natural nail, so that the sides continue without a step. It narrows
// from where the natural tip's corners begin to round: paint can cover them, not remove them.
static const float BEGIN = 0.15f, NARROW = 0.72f;

// The shadow on what lies below, in nail widths: its offset away from the light, the width of its
// soft edge on either side of the outline, and (as a share of the light) its depth.
static const float SHADOW_REACH = 0.12f, SHADOW_SOFT = 0.13f, SHADOW_DEPTH = 0.34f;

static const float WIDTH_MIN = 4.0f;  // in pixels; smaller nails are not extended
static const float HAND_REACH = 12.0f;  // in nail sizes: nails closer than that are of one hand

static float half_at(enum lq_shape_kind shape, float t)
{
    float half = 1.0f - SHAPES[shape].taper * powf(t, SHAPES[shape].power);
    float s = (t - 1.0f + SHAPES[shape].cap) / SHAPES[shape].cap;
    float round = SHAPES[shape].round;
    float left = fmaxf(1.0f - powf(fminf(fmaxf(s, 0.0f), 1.0f), round), 0.0f);
    return half * powf(left, 1.0f / round);
}

static float cover_at(const struct lq_nail *nail, float u, float w)
{
    float along = 0.5f * nail->length * u, across = 0.5f * nail->width * w;
    const struct lq_pixel_box *crop = &nail->crop;
    int x = (int)floorf(nail->center_x + along * nail->axis_x - across * nail->axis_y) - crop->x;
    int y = (int)floorf(nail->center_y + along * nail->axis_y + across * nail->axis_x) - crop->y;
    return x < 0 || y < 0 || x >= crop->width || y >= crop->height
               ? 0.0f : (float)nail->alpha[(size_t)y * nail->alpha_stride + (size_t)x] / 255.0f;
}

// Mean half width where the extension begins, in nail coordinates.
static float measure_half(const struct lq_nail *nail)
{
    enum { STEPS = 48 };
    float sum = 0.0f;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < STEPS; i++)
            sum += cover_at(nail, BEGIN + 0.08f * (float)k,
                            -1.2f + 2.4f * ((float)i + 0.5f) / STEPS);
    return 0.5f * 2.4f * sum / (3 * STEPS);
}

static bool same_hand(const struct lq_nail *a, const struct lq_nail *b)
{
    float size = sqrtf(fmaxf(fmaxf(a->length * a->width, b->length * b->width), 1.0f));
    return hypotf(a->center_x - b->center_x, a->center_y - b->center_y) < HAND_REACH * size;
}

void lq_extend_choose(const struct lq_nails *nails, bool chosen[LQ_NAILS_MAX])
{
    for (int i = 0; i < nails->count; i++)
        chosen[i] = nails->items[i].tip_known || nails->items[i].width < WIDTH_MIN;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < nails->count; i++)
            for (int j = 0; j < nails->count; j++)
                if (chosen[i] && !chosen[j] && same_hand(&nails->items[i], &nails->items[j])) {
                    chosen[i] = false;
                    changed = true;
                }
    }
}

int lq_extend_hands(const struct lq_nails *nails, int hands[LQ_NAILS_MAX])
{
    int count = 0, waiting[LQ_NAILS_MAX];
    for (int i = 0; i < nails->count; i++)
        hands[i] = -1;
    for (int first = 0; first < nails->count; first++) {
        if (hands[first] >= 0)
            continue;
        int left = 1;
        waiting[0] = first;
        hands[first] = count;
        while (left > 0) {
            const struct lq_nail *nail = &nails->items[waiting[--left]];
            for (int j = 0; j < nails->count; j++)
                if (hands[j] < 0 && same_hand(nail, &nails->items[j])) {
                    hands[j] = count;
                    waiting[left++] = j;
                }
        }
        count++;
    }
    return count;
}

static void draw_outline(struct lq_extent *extent, enum lq_shape_kind shape)
{
    for (int i = 0; i < LQ_EXTENT_STEPS + 2; i++)
        extent->outline[i] = extent->half * half_at(shape, fminf((float)i / LQ_EXTENT_STEPS, 1.0f));
}

static void widen(float *least, float *most, float value)
{
    *least = value < *least ? value : *least;
    *most = value > *most ? value : *most;
}

bool lq_extend_measure(struct lq_extent *extent, const struct lq_extension *extension,
                       const struct lq_image *picture, const struct lq_nail *nail)
{
    if (extension->shape == LQ_SHAPE_NATURAL || !nail->tip_known || nail->width < WIDTH_MIN)
        return false;
    float end = 1.0f + 2.0f * extension->length, half = measure_half(nail);
    if (half < 0.3f)
        return false;
    float x0 = (float)nail->crop.x, x1 = (float)(nail->crop.x + nail->crop.width);
    float y0 = (float)nail->crop.y, y1 = (float)(nail->crop.y + nail->crop.height);
    for (int k = 0; k < 4; k++) {
        float along = 0.5f * nail->length * (k < 2 ? BEGIN : end);
        float across = 0.5f * nail->width * half * (k % 2 ? 1.0f : -1.0f);
        widen(&x0, &x1, nail->center_x + along * nail->axis_x - across * nail->axis_y);
        widen(&y0, &y1, nail->center_y + along * nail->axis_y + across * nail->axis_x);
    }
    float margin = 2.0f + 0.06f * nail->width;
    extent->x = (int)fmaxf(x0 - margin, 0.0f);
    extent->y = (int)fmaxf(y0 - margin, 0.0f);
    extent->width = (int)fminf(x1 + margin, (float)picture->width) - extent->x;
    extent->height = (int)fminf(y1 + margin, (float)picture->height) - extent->y;
    extent->end = end;
    extent->half = half;
    draw_outline(extent, extension->shape);
    return true;
}

static void copy_own(const struct lq_extent *extent, const struct lq_nail *nail, uint8_t *own)
{
    const struct lq_pixel_box *crop = &nail->crop;
    size_t width = (size_t)extent->width;
    memset(own, 0, width * (size_t)extent->height);
    for (int j = 0; j < crop->height; j++)
        memcpy(own + (size_t)(crop->y - extent->y + j) * width + (size_t)(crop->x - extent->x),
               nail->alpha + (size_t)j * nail->alpha_stride, (size_t)crop->width);
}

static inline float held(float x, float least, float most)
{
    x = x < least ? least : x;
    return x > most ? most : x;
}

enum { PIECE = 256, LANES = 16 }; // pixels of a row processed at a time; per vector

// Half the width at each pixel of a row. Computes all positions in the outline first: in one loop
// with the table look-ups, compilers do not vectorise it.
static inline __attribute__((always_inline)) void halves_of(const float *restrict outline,
                                                            float scale, float u, float du,
                                                            float *restrict halves, int n)
{
    float places[PIECE];
    n = (n + LANES - 1) & ~(LANES - 1); // whole vectors, so that no loop has a remainder
    for (int i = 0; i < n; i++)
        places[i] = held((u + du * (float)i - NARROW) * scale, 0.0f, (float)LQ_EXTENT_STEPS);
    for (int i = 0; i < n; i++) {
        int k = (int)places[i];
        halves[i] = outline[k] + (outline[k + 1] - outline[k]) * (places[i] - (float)k);
    }
}

static float steps_of(const struct lq_extent *extent)
{
    return LQ_EXTENT_STEPS / (extent->end - NARROW);
}

// Narrows [from, to) to the pixels i where `at` + i / `inverse` lies within [least, most], plus a
// pixel on each side.
static void narrow(float at, float inverse, float least, float most, int *from, int *to)
{
    float low = (float)*from, high = (float)*to;
    float a = held((least - at) * inverse, low, high), b = held((most - at) * inverse, low, high);
    int first = (int)(a < b ? a : b) - 1, last = (int)(a < b ? b : a) + 3;
    *from = first > *from ? first : *from;
    *to = last < *to ? last : *to;
}

// Bounds in nail coordinates, and the number of pixels per unit of each coordinate.
struct reach {
    float least_u, most_u, most_w, inverse_u, inverse_w;
};

static struct reach reach_from(const struct lq_nail_map *map, float least_u, float most_u,
                               float most_w)
{
    // If a coordinate does not change along a row, treat it as changing very slowly.
    float du = fabsf(map->ux) < 1e-6f ? 1e-6f : map->ux;
    float dw = fabsf(map->wx) < 1e-6f ? 1e-6f : map->wx;
    return (struct reach){least_u, most_u, most_w, 1.0f / du, 1.0f / dw};
}

static struct lq_span reach_of(const struct lq_nail_row *row, const struct reach *reach)
{
    int from = 0, to = row->count;
    narrow(row->u, reach->inverse_u, reach->least_u, reach->most_u, &from, &to);
    narrow(row->w, reach->inverse_w, -reach->most_w, reach->most_w, &from, &to);
    return (struct lq_span){from, to > from ? to - from : 0};
}

static struct lq_nail_row part_of(struct lq_nail_row row, struct lq_span span)
{
    row.u += row.du * (float)span.from;
    row.w += row.dw * (float)span.from;
    row.count = span.count;
    return row;
}

static struct lq_span first_of(struct lq_span span)
{
    return (struct lq_span){span.from, span.count < PIECE ? span.count : PIECE};
}

static struct lq_span rest_of(struct lq_span span)
{
    int done = first_of(span).count;
    return (struct lq_span){span.from + done, span.count - done};
}

LQ_HOT static void cover_row(const struct lq_extent *extent, const struct lq_nail *nail,
                             const struct lq_nail_row *row, const uint8_t *restrict own,
                             uint8_t *restrict whole)
{
    const float end = extent->end, sharp_u = 0.5f * nail->length, sharp_w = 0.5f * nail->width;
    struct lq_nail_row r = *row;
    float halves[PIECE];
    halves_of(extent->outline, steps_of(extent), r.u, r.du, halves, r.count);
    for (int i = 0; i < r.count; i++) {
        float u = r.u + r.du * (float)i, w = r.w + r.dw * (float)i;
        float side = (halves[i] - (w < 0.0f ? -w : w)) * sharp_w + 0.5f;
        float cover = lq_clamp01(side) * lq_clamp01((end - u) * sharp_u + 0.5f);
        cover = u < BEGIN ? 0.0f : cover;
        uint8_t added = (uint8_t)(int)(cover * 255.0f + 0.5f);
        whole[i] = added > own[i] ? added : own[i];
    }
}

void lq_extend_draw(const struct lq_extent *extent, const struct lq_nail *nail, uint8_t *own,
                    uint8_t *whole)
{
    struct lq_nail_map map = lq_nail_map_of(nail);
    struct reach reach = reach_from(&map, BEGIN, extent->end + 1.0f / (0.5f * nail->length),
                                    extent->half + 1.0f / (0.5f * nail->width));
    copy_own(extent, nail, own);
    memcpy(whole, own, (size_t)extent->width * (size_t)extent->height);
    for (int j = 0; j < extent->height; j++) {
        struct lq_nail_row row = lq_nail_row_at(&map, (float)extent->x + 0.5f,
                                                (float)(extent->y + j) + 0.5f, extent->width);
        struct lq_span span = reach_of(&row, &reach);
        while (span.count > 0) {
            struct lq_nail_row part = part_of(row, first_of(span));
            size_t at = (size_t)j * (size_t)extent->width + (size_t)span.from;
            cover_row(extent, nail, &part, own + at, whole + at);
            span = rest_of(span);
        }
    }
}

// The part of the picture that the shadow may cover: from below the natural tip to beyond the end.
static void shadow_box(const struct lq_extent *extent, const struct lq_image *picture,
                       const struct lq_nail *nail, struct lq_pixel_box *box)
{
    float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f;
    for (int k = 0; k < 4; k++) {
        float along = 0.5f * nail->length * (k < 2 ? 0.5f : extent->end);
        float across = 0.5f * nail->width * extent->half * (k % 2 ? 1.0f : -1.0f);
        widen(&x0, &x1, nail->center_x + along * nail->axis_x - across * nail->axis_y);
        widen(&y0, &y1, nail->center_y + along * nail->axis_y + across * nail->axis_x);
    }
    float margin = (SHADOW_REACH + SHADOW_SOFT) * nail->width + 1.0f;
    box->x = (int)fmaxf(x0 - margin, 0.0f);
    box->y = (int)fmaxf(y0 - margin, 0.0f);
    box->width = (int)fminf(x1 + margin, (float)picture->width) - box->x;
    box->height = (int)fminf(y1 + margin, (float)picture->height) - box->y;
}

// Factors from nail coordinates to shares of the shadow's soft edge.
struct softness {
    float across, along;
};

LQ_HOT static void shadow_row(const struct lq_extent *extent, const struct softness *softness,
                              const struct lq_nail_row *row, float *restrict taken)
{
    const float end = extent->end, across = softness->across, along = softness->along;
    struct lq_nail_row r = *row;
    float halves[PIECE];
    halves_of(extent->outline, steps_of(extent), r.u, r.du, halves, r.count);
    int count = (r.count + LANES - 1) & ~(LANES - 1);
    for (int i = 0; i < count; i++) {
        float u = r.u + r.du * (float)i, w = r.w + r.dw * (float)i;
        float side = (halves[i] - (w < 0.0f ? -w : w)) * across;
        float tip = (end - u) * along;
        float inside = lq_clamp01(0.5f + (side < tip ? side : tip));
        taken[i] = SHADOW_DEPTH * lq_smooth01(inside) * lq_clamp01(2.5f * (u - 0.55f));
    }
}

// Clears the shadow on the natural nail: the extension covers it, and its pixels are still needed
// to estimate the light.
static void clear_on_nail(const struct lq_nail *nail, int x, int y, int count, float *taken)
{
    int j = y - nail->crop.y;
    if (j < 0 || j >= nail->crop.height)
        return;
    const uint8_t *alpha = nail->alpha + (size_t)j * nail->alpha_stride;
    int from = nail->crop.x > x ? nail->crop.x : x, to = nail->crop.x + nail->crop.width;
    to = to < x + count ? to : x + count;
    for (int i = from; i < to; i++)
        taken[i - x] *= 1.0f - (float)alpha[i - nail->crop.x] / 255.0f;
}

static inline __attribute__((always_inline)) void darken_row(void *pixels, int channels, int depth,
                                                             const float *restrict taken, int n)
{
    uint8_t *bytes = pixels;
    uint16_t *words = pixels;
    for (int i = 0; i < n; i++) {
        float left = 1.0f - taken[i];
        for (int k = i * channels; k < i * channels + 3; k++) {
            if (depth == 8)
                bytes[k] = (uint8_t)(int)((float)bytes[k] * left + 0.5f);
            else
                words[k] = (uint16_t)(int)((float)words[k] * left + 0.5f);
        }
    }
}

LQ_HOT static void darken_rgb(uint8_t *pixels, const float *taken, int n)
{
    darken_row(pixels, 3, 8, taken, n);
}

static void darken(const struct lq_image *picture, int x, int y, int count, const float *taken)
{
    uint8_t *pixels = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 8 && picture->channels == 3)
        darken_rgb(pixels, taken, count);
    else
        darken_row(pixels, picture->channels, picture->depth, taken, count);
}

void lq_extend_shadow(const struct lq_extent *extent, struct lq_image *picture,
                      const struct lq_nail *nail, float light_x, float light_y,
                      struct lq_pixel_box *reached)
{
    float taken[PIECE];
    struct lq_nail_map map = lq_nail_map_of(nail);
    float reach = SHADOW_REACH * nail->width, aspect = nail->length / nail->width;
    const struct softness softness = {0.25f / SHADOW_SOFT, 0.25f / SHADOW_SOFT * aspect};
    shadow_box(extent, picture, nail, reached);
    struct reach near = reach_from(&map, 0.55f, extent->end + 2.0f * SHADOW_SOFT / aspect,
                                   extent->half + 2.0f * SHADOW_SOFT);
    for (int y = reached->y; y < reached->y + reached->height; y++) {
        struct lq_nail_row row = lq_nail_row_at(&map, (float)reached->x + 0.5f + reach * light_x,
                                                (float)y + 0.5f + reach * light_y,
                                                reached->width);
        struct lq_span span = reach_of(&row, &near);
        while (span.count > 0) {
            struct lq_nail_row part = part_of(row, first_of(span));
            int x = reached->x + span.from;
            shadow_row(extent, &softness, &part, taken);
            clear_on_nail(nail, x, y, part.count, taken);
            darken(picture, x, y, part.count, taken);
            span = rest_of(span);
        }
    }
}
