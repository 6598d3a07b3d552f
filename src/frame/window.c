#include "frame/window.h"

#include <math.h>
#include <stdbool.h>

// A window's side in lengths of its largest nail, chosen on the validation set. Where the picture
// has the pixels for it, the closer look shows more of a nail's outline and of its bare free edge.
static const float WIDE = 4.0f, NARROW = 2.5f;
static const float NARROW_PIXELS = 1.33f; // along its side, for each point of the network's map
static const float WINDOW_MAX = 0.8f;     // of the picture's longer side: more is no finer scale
static const float INNER = 0.8f;          // central part of a window, in which nails must lie
static const float LIKE_SIZE = 0.4f;      // a nail smaller than this share of another is left out

static struct lq_window both(struct lq_window a, struct lq_window b)
{
    return (struct lq_window){fminf(a.x0, b.x0), fminf(a.y0, b.y0), fmaxf(a.x1, b.x1),
                              fmaxf(a.y1, b.y1)};
}

float lq_window_side(const struct lq_window *window)
{
    return fmaxf(window->x1 - window->x0, window->y1 - window->y0);
}

static bool fits(struct lq_window shown, struct lq_window other, float side)
{
    struct lq_window all = both(shown, other);
    return lq_window_side(&all) <= side;
}

// The largest nail that is not yet in a window; -1: none.
static int next_nail(const struct lq_nails *nails, const bool *seen)
{
    int best = -1;
    for (int i = 0; i < nails->count; i++)
        if (!seen[i] &&
            (best < 0 || lq_nail_side(&nails->items[i]) > lq_nail_side(&nails->items[best])))
            best = i;
    return best;
}

// The nearest nail not yet in a window that a window of this side could include; -1: none.
static int next_neighbour(const struct lq_nails *nails, const bool *seen, int from,
                          struct lq_window shown, float side)
{
    const struct lq_nail *nail = &nails->items[from];
    int best = -1;
    float best_distance = INFINITY;
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *other = &nails->items[i];
        float distance = hypotf(other->center_x - nail->center_x, other->center_y - nail->center_y);
        if (!seen[i] && distance < best_distance &&
            lq_nail_side(other) >= LIKE_SIZE * lq_nail_side(nail) &&
            fits(shown, lq_window_of(&other->crop), INNER * side)) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

// The side of the window for a nail of this length, which `shown` includes.
static float side_for(float length, const struct lq_window *shown, float points)
{
    float side = fminf(WIDE * length, fmaxf(NARROW * length, NARROW_PIXELS * points));
    return fmaxf(side, lq_window_side(shown) / INNER);
}

// Centres an interval of length `side` on `middle`, then moves it inside 0..limit; whole pixels.
static void place_stretch(float middle, float side, int limit, float *from, float *to)
{
    float length = fminf(ceilf(side), (float)limit);
    *from = fminf(fmaxf(roundf(middle - 0.5f * length), 0.0f), (float)limit - length);
    *to = *from + length;
}

struct lq_window lq_window_around(const struct lq_image *picture, float x, float y, float side)
{
    struct lq_window window;
    place_stretch(x, side, picture->width, &window.x0, &window.x1);
    place_stretch(y, side, picture->height, &window.y0, &window.y1);
    return window;
}

struct lq_pixel_box lq_window_box(const struct lq_window *window)
{
    return (struct lq_pixel_box){(int)window->x0, (int)window->y0,
                                 (int)(window->x1 - window->x0), (int)(window->y1 - window->y0)};
}

struct lq_window lq_window_of(const struct lq_pixel_box *box)
{
    return (struct lq_window){(float)box->x, (float)box->y, (float)(box->x + box->width),
                              (float)(box->y + box->height)};
}

void lq_patch_place(struct lq_patch *patch, const struct lq_pixel_box *part)
{
    patch->x0 += (float)part->x;
    patch->y0 += (float)part->y;
    patch->box.x += (float)part->x;
    patch->box.y += (float)part->y;
}

int lq_windows_choose(struct lq_window *windows, const struct lq_image *picture,
                      const struct lq_nails *nails, float points)
{
    bool seen[LQ_NAILS_MAX] = {false};
    float longer = (float)(picture->width > picture->height ? picture->width : picture->height);
    int count = 0;
    for (int i; count < LQ_WINDOWS_MAX && (i = next_nail(nails, seen)) >= 0;) {
        struct lq_window shown = lq_window_of(&nails->items[i].crop);
        float side = side_for(lq_nail_side(&nails->items[i]), &shown, points);
        seen[i] = true;
        if (side > WINDOW_MAX * longer)
            continue;
        for (int j; (j = next_neighbour(nails, seen, i, shown, side)) >= 0; seen[j] = true)
            shown = both(shown, lq_window_of(&nails->items[j].crop));
        windows[count++] = lq_window_around(picture, 0.5f * (shown.x0 + shown.x1),
                                            0.5f * (shown.y0 + shown.y1), side);
    }
    return count;
}
