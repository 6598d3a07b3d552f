#include "nail/sharpness.h"

#include <math.h>
#include <stdbool.h>

enum { ALONG = 2, REACH_MIN = 6, REACH_MAX = 24 };                // picture pixels
enum { LINES = 9, PLACES_MAX = 4 * LINES + 8, PLACES_MIN = 6 };

static const float REACH = 0.12f;         // of the nail's smaller side
static const float CONTRAST_MIN = 0.06f; // of white: less is grain
static const float STEEP_SHARE = 0.2f;    // of the steepest step: less steep parts belong to
                                          // another edge
static const float SHARPER = 0.4f;        // the quantile of the widths used for the nail

struct outline {
    const struct lq_image *picture;
    const struct lq_blocks *blocks;
    const float *guess;       // of each
    int reach;                // picture pixels to either side
    float widths[PLACES_MAX];
    int count;
};

static inline float pixel(const struct lq_image *picture, int x, int y)
{
    const uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 8)
        return (float)(row[0] + 2 * row[1] + row[2]) * (1.0f / 1020.0f);
    const uint16_t *wide = (const uint16_t *)(const void *)row;
    return (float)(wide[0] + 2 * wide[1] + wide[2]) * (1.0f / 262140.0f);
}

// Between four pixels; (x, y) lies inside.
static inline float tone_at(const struct lq_image *picture, float x, float y)
{
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    float upper = pixel(picture, ix, iy) * (1.0f - fx) + pixel(picture, ix + 1, iy) * fx;
    float lower = pixel(picture, ix, iy + 1) * (1.0f - fx) + pixel(picture, ix + 1, iy + 1) * fx;
    return upper + (lower - upper) * fy;
}

// Of the steepest edge among n samples a pixel apart: its height over its steepest step. 0: none.
static float ramp_width(const float *tone, int n)
{
    int at = 0;
    for (int i = 1; i + 1 < n; i++)
        if (fabsf(tone[i + 1] - tone[i]) > fabsf(tone[at + 1] - tone[at]))
            at = i;
    float steepest = tone[at + 1] - tone[at];
    float sign = steepest < 0.0f ? -1.0f : 1.0f, least = STEEP_SHARE * fabsf(steepest);
    int from = at, to = at + 1;
    while (from > 0 && (tone[from] - tone[from - 1]) * sign > least)
        from--;
    while (to + 1 < n && (tone[to + 1] - tone[to]) * sign > least)
        to++;
    float height = fabsf(tone[to] - tone[from]);
    bool whole = from > 0 && to + 1 < n; // else it continues beyond the reach
    return whole && height >= CONTRAST_MIN ? height / fabsf(steepest) : 0.0f;
}

// Reads the picture across the outline at (x, y), along the unit vector n: 2 * reach + 1 tones.
// Each is the mean of several side by side, because grain is not as long as an edge.
static bool read_across(const struct outline *outline, float x, float y, float nx, float ny,
                        float *tone)
{
    const struct lq_image *picture = outline->picture;
    float room = (float)(outline->reach + ALONG + 1);
    if (!(x >= room) || !(y >= room) || !(x < (float)picture->width - room) ||
        !(y < (float)picture->height - room))
        return false;
    for (int k = -outline->reach; k <= outline->reach; k++) {
        float sum = 0.0f;
        for (int side = -ALONG; side <= ALONG; side++)
            sum += tone_at(picture, x + (float)k * nx - (float)side * ny,
                           y + (float)k * ny + (float)side * nx);
        *tone++ = sum / (2 * ALONG + 1);
    }
    return true;
}

// At grid place (i, j) on the outline.
static void measure_across(struct outline *outline, float i, float j)
{
    int gi = (int)(i + 0.5f), gj = (int)(j + 0.5f), stride = outline->blocks->width;
    if (gi < 1 || gj < 1 || gi + 1 >= stride || gj + 1 >= outline->blocks->height)
        return;
    const float *here = outline->guess + (ptrdiff_t)gj * stride + gi;
    float nx = here[1] - here[-1], ny = here[stride] - here[-stride];
    float steep = sqrtf(nx * nx + ny * ny), tone[2 * REACH_MAX + 1];
    if (!(steep > 1e-4f) || outline->count == PLACES_MAX)
        return;
    float step = (float)outline->blocks->step;
    float x = (float)outline->blocks->x + (i + 0.5f) * step - 0.5f;
    float y = (float)outline->blocks->y + (j + 0.5f) * step - 0.5f;
    if (!read_across(outline, x, y, nx / steep, ny / steep, tone))
        return;
    float width = ramp_width(tone, 2 * outline->reach + 1);
    if (!(width > 0.0f))
        return;
    int slot = outline->count++; // kept in order
    for (; slot > 0 && outline->widths[slot - 1] > width; slot--)
        outline->widths[slot] = outline->widths[slot - 1];
    outline->widths[slot] = width;
}

// Finds where one line of the grid crosses the level; `hop` is the step between its points.
static void walk(struct outline *outline, bool down, int line, int count)
{
    ptrdiff_t width = outline->blocks->width, hop = down ? width : 1;
    const float *p = outline->guess + (down ? line : line * width);
    for (int k = 0; k + 1 < count; k++, p += hop) {
        if ((p[0] >= 0.5f) == (p[hop] >= 0.5f))
            continue;
        float t = (float)k + (0.5f - p[0]) / (p[hop] - p[0]);
        measure_across(outline, down ? (float)line : t, down ? t : (float)line);
    }
}

float lq_sharpness_edge(const struct lq_image *picture, const struct lq_blocks *blocks,
                        const float *guess)
{
    int width = blocks->width, height = blocks->height;
    int side = (width < height ? width : height) * blocks->step;
    int reach = (int)(REACH * (float)side);
    struct outline outline = {.picture = picture, .blocks = blocks, .guess = guess};
    outline.reach = reach < REACH_MIN ? REACH_MIN : reach > REACH_MAX ? REACH_MAX : reach;
    for (int k = 0; k < LINES; k++) {
        walk(&outline, false, (2 * k + 1) * height / (2 * LINES), width);
        walk(&outline, true, (2 * k + 1) * width / (2 * LINES), height);
    }
    if (outline.count < PLACES_MIN)
        return 0.0f;
    return fmaxf(outline.widths[(int)(SHARPER * (float)outline.count)], 1.0f);
}
