#include "eval/flicker.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

enum { AREA_MIN = 20 }; // smaller components are drawing noise

void lq_flicker_init(struct lq_flicker *flicker)
{
    *flicker = (struct lq_flicker){0};
    lq_buf_init(&flicker->predicted, LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&flicker->drawn, LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&flicker->levels, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(float));
    lq_components_init(&flicker->now);
    lq_components_init(&flicker->last);
}

void lq_flicker_release(struct lq_flicker *flicker)
{
    lq_buf_release(&flicker->predicted);
    lq_buf_release(&flicker->drawn);
    lq_buf_release(&flicker->levels);
    lq_components_release(&flicker->now);
    lq_components_release(&flicker->last);
}

struct place {
    double x, y, side; // centre and the root of the area
};

static struct place place_of(const struct lq_component *item)
{
    return (struct place){item->sx / item->count, item->sy / item->count, sqrt(item->count)};
}

// The nearest component of the last frame, no farther away than its own size; NULL: none.
static const struct lq_component *find_last(const struct lq_flicker *flicker, struct place now)
{
    const struct lq_component *items = lq_components_items(&flicker->last), *best = NULL;
    double nearest = now.side;
    for (int i = 0; i < flicker->last.count; i++) {
        struct place then = place_of(&items[i]);
        double off = hypot(then.x - now.x, then.y - now.y);
        if (items[i].count >= AREA_MIN && off < nearest) {
            nearest = off;
            best = &items[i];
        }
    }
    return best;
}

static double level_at(const uint8_t *mask, int width, int height, double x, double y)
{
    int ix = (int)floor(x), iy = (int)floor(y);
    double fx = x - ix, fy = y - iy, sum = 0;
    for (int k = 0; k < 4; k++) {
        int px = ix + (k & 1), py = iy + (k >> 1);
        if (px >= 0 && py >= 0 && px < width && py < height)
            sum += (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy) *
                   mask[(size_t)py * (size_t)width + (size_t)px];
    }
    return sum / 255;
}

// The window in which a nail's masks are compared: its box, enlarged by a third of its size.
struct window {
    int x0, y0, x1, y1;
};

static struct window window_of(const struct lq_component *item, int width, int height)
{
    int around = 3 + (item->x1 - item->x0 + item->y1 - item->y0) / 6;
    struct window w = {item->x0 - around, item->y0 - around, item->x1 + around, item->y1 + around};
    w.x0 = w.x0 > 0 ? w.x0 : 0;
    w.y0 = w.y0 > 0 ? w.y0 : 0;
    w.x1 = w.x1 < width - 1 ? w.x1 : width - 1;
    w.y1 = w.y1 < height - 1 ? w.y1 : height - 1;
    return w;
}

// A mask of this frame and the one of the frame before.
struct pair {
    const uint8_t *now, *last;
    int width, height;
};

static double change(const struct pair *pair, struct window window, double dx, double dy)
{
    int width = pair->width;
    double sum = 0;
    for (int y = window.y0; y <= window.y1; y++)
        for (int x = window.x0; x <= window.x1; x++)
            sum += fabs(pair->now[(size_t)y * (size_t)width + (size_t)x] / 255.0 -
                        level_at(pair->last, width, pair->height, x - dx, y - dy));
    return sum;
}

// Centre of the predicted pixels in the window; false if there are too few.
static bool predicted_centre(const uint8_t *mask, int width, struct window window, double least,
                             double *cx, double *cy)
{
    double sum = 0, sx = 0, sy = 0;
    for (int y = window.y0; y <= window.y1; y++)
        for (int x = window.x0; x <= window.x1; x++) {
            double level = mask[(size_t)y * (size_t)width + (size_t)x] / 255.0;
            sum += level;
            sx += level * x;
            sy += level * y;
        }
    if (sum < least)
        return false;
    *cx = sx / sum;
    *cy = sy / sum;
    return true;
}

static void judge(struct lq_flicker *flicker, const struct lq_component *item,
                  const uint8_t *predicted, const uint8_t *drawn)
{
    int width = flicker->width, height = flicker->height;
    struct place now = place_of(item);
    const struct lq_component *before = find_last(flicker, now);
    if (!before)
        return;
    struct place then = place_of(before);
    struct window window = window_of(item, width, height);
    double dx = now.x - then.x, dy = now.y - then.y, cx, cy;
    const struct pair painted = {predicted, flicker->predicted.data, width, height};
    const struct pair true_ = {drawn, flicker->drawn.data, width, height};
    flicker->change += change(&painted, window, dx, dy) / item->count;
    flicker->floor += change(&true_, window, dx, dy) / item->count;
    flicker->pairs++;
    if (predicted_centre(predicted, width, window, 0.3 * item->count, &cx, &cy)) {
        flicker->against += (cx - now.x) * dx + (cy - now.y) * dy;
        flicker->steps += dx * dx + dy * dy;
    }
}

int lq_flicker_add(struct lq_flicker *flicker, const uint8_t *predicted, const uint8_t *drawn,
                   int width, int height)
{
    size_t pixels = (size_t)width * (size_t)height;
    int status = lq_buf_resize(&flicker->levels, pixels * sizeof(float));
    if (status != LQ_OK)
        return status;
    float *levels = (float *)(void *)flicker->levels.data;
    for (size_t i = 0; i < pixels; i++)
        levels[i] = drawn[i] >= 128;
    const struct lq_grid_roi whole = {levels, width, 0, 0, width - 1, height - 1};
    status = lq_components_find(&flicker->now, &whole, 0.5f);
    if (status != LQ_OK)
        return status;
    if (flicker->width == width && flicker->height == height) {
        const struct lq_component *items = lq_components_items(&flicker->now);
        for (int i = 0; i < flicker->now.count; i++)
            if (items[i].count >= AREA_MIN)
                judge(flicker, &items[i], predicted, drawn);
    }
    struct lq_components now = flicker->now;
    flicker->now = flicker->last;
    flicker->last = now;
    flicker->width = width;
    flicker->height = height;
    if (lq_buf_resize(&flicker->predicted, pixels) != LQ_OK ||
        lq_buf_resize(&flicker->drawn, pixels) != LQ_OK)
        return LQ_ERR_MEMORY;
    memcpy(flicker->predicted.data, predicted, pixels);
    memcpy(flicker->drawn.data, drawn, pixels);
    return LQ_OK;
}

double lq_flicker_mean(const struct lq_flicker *flicker)
{
    return flicker->pairs ? flicker->change / flicker->pairs : NAN;
}

double lq_flicker_floor(const struct lq_flicker *flicker)
{
    return flicker->pairs ? flicker->floor / flicker->pairs : NAN;
}

double lq_flicker_lag(const struct lq_flicker *flicker)
{
    return flicker->steps > 0 ? -flicker->against / flicker->steps : NAN;
}
