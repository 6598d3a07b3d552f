#include "nail/split.h"

#include <stdbool.h>
#include <string.h>

enum { BINS = 256, PARTS_MAX = 8, NEIGHBOURS = 8, POINTS_MIN = 24 };

// A neck is at most this share as wide as the smaller of the parts it joins.
static const float NECK_MAX = 0.60f;
static const float PART_DEPTH_MIN = 0.6f; // of the deepest part's distance from its outline
// A thumb seen from its side against a finger's nail is shallower, but the two hardly touch.
static const float THIN_NECK_MAX = 0.45f, THIN_DEPTH_MIN = 0.4f;
static const float PART_SHARE_MIN = 0.3f; // of the largest part's points
static const float PART_SOLID_MIN = 0.80f;
// One nail is as solid as an ellipse; two that touch are less so (0.89).
static const float WHOLE_SOLID_MAX = 0.93f;

// A basin of the flood: its parent (itself or another basin), its depth, and the part it became.
struct basin {
    int parent;
    float peak;
    int part;
};

// A component's window, with one empty point on every side.
struct window {
    int left, top, width, height;
    float *depth; // distance from the outline
    int *basin;   // of a point: -1 none, else its basin's number
    int *order;   // points, deepest first
    struct basin *basins;
};

static int make_window(struct window *window, struct lq_components *components,
                       const struct lq_component *item)
{
    int width = item->x1 - item->x0 + 3, height = item->y1 - item->y0 + 3;
    size_t n = (size_t)width * (size_t)height;
    int status = lq_buf_resize(&components->scratch, n * (sizeof(float) + 2 * sizeof(int) +
                                                          sizeof(struct basin)));
    if (status != LQ_OK)
        return status;
    float *depth = (float *)(void *)components->scratch.data;
    *window = (struct window){item->x0 - 1, item->y0 - 1, width, height, depth,
                              (int *)(void *)(depth + n), (int *)(void *)(depth + 2 * n),
                              (struct basin *)(void *)(depth + 3 * n)};
    memset(depth, 0, n * sizeof(float));
    return LQ_OK;
}

static inline float lesser(float a, float b)
{
    return a < b ? a : b;
}

// Distance from the nearest empty point, in place: two passes of a 3x3 chamfer (Borgefors, 1986).
static void measure_distance(float *d, int width, int height)
{
    const float side = 1.0f, corner = 1.41421356f;
    for (int y = 1; y < height - 1; y++)
        for (int x = 1; x < width - 1; x++) {
            float *at = d + (ptrdiff_t)y * width + x;
            float near = lesser(at[-1], at[-width]) + side;
            near = lesser(near, lesser(at[-width - 1], at[-width + 1]) + corner);
            *at = lesser(*at, near);
        }
    for (int y = height - 2; y > 0; y--)
        for (int x = width - 2; x > 0; x--) {
            float *at = d + (ptrdiff_t)y * width + x;
            float near = lesser(at[1], at[width]) + side;
            near = lesser(near, lesser(at[width + 1], at[width - 1]) + corner);
            *at = lesser(*at, near);
        }
}

static void measure_depth(struct window *window, const struct lq_run *runs, int run_count,
                          int index)
{
    for (int k = 0; k < run_count; k++) {
        if (runs[k].label != index)
            continue;
        float *row = window->depth + (ptrdiff_t)(runs[k].y - window->top) * window->width;
        for (int x = runs[k].x0; x <= runs[k].x1; x++)
            row[x - window->left] = 1e9f;
    }
    measure_distance(window->depth, window->width, window->height);
}

// Fills order with the component's points, deepest first (counting sort); returns how many.
static int sort_points(struct window *window)
{
    int n = window->width * window->height, start[BINS + 1] = {0}, count = 0;
    float most = 0.0f;
    for (int i = 0; i < n; i++)
        most = window->depth[i] > most ? window->depth[i] : most;
    float scale = (BINS - 1) / (most > 0.0f ? most : 1.0f);
    for (int i = 0; i < n; i++)
        if (window->depth[i] > 0.0f)
            start[BINS - (int)(window->depth[i] * scale)]++;
    for (int b = 1; b <= BINS; b++)
        start[b] += start[b - 1];
    for (int i = 0; i < n; i++)
        if (window->depth[i] > 0.0f) {
            window->order[start[BINS - 1 - (int)(window->depth[i] * scale)]++] = i;
            count++;
        }
    return count;
}

static int root_of(struct basin *basins, int i)
{
    while (basins[i].parent != i)
        i = basins[i].parent = basins[basins[i].parent].parent;
    return i;
}

// Two basins meet at `depth`: they are one nail unless there is a neck and both are deep.
static void meet(struct basin *basins, int a, int b, float depth, float deepest)
{
    int high = basins[a].peak >= basins[b].peak ? a : b, low = high == a ? b : a;
    float neck = depth / basins[low].peak, deep = basins[low].peak / deepest;
    bool apart = (neck < NECK_MAX && deep >= PART_DEPTH_MIN) ||
                 (neck < THIN_NECK_MAX && deep >= THIN_DEPTH_MIN);
    if (!apart)
        basins[low].parent = high;
}

// Floods from the greatest depth: a point joins the basin of its deepest neighbour that was flooded
// before.
static void flood(struct window *window, int count)
{
    const int w = window->width;
    const int step[NEIGHBOURS] = {-w - 1, -w, -w + 1, -1, 1, w - 1, w, w + 1};
    struct basin *basins = window->basins;
    float deepest = count > 0 ? window->depth[window->order[0]] : 0.0f;
    for (int i = 0; i < w * window->height; i++)
        window->basin[i] = -1;
    for (int k = 0, made = 0; k < count; k++) {
        int at = window->order[k], best = -1;
        float depth = window->depth[at], most = -1.0f;
        for (int s = 0; s < NEIGHBOURS; s++) {
            int near = window->basin[at + step[s]];
            if (near < 0)
                continue;
            near = root_of(basins, near);
            if (best >= 0 && near != best)
                meet(basins, near, best, depth, deepest);
            if (window->depth[at + step[s]] > most) {
                most = window->depth[at + step[s]];
                best = near;
            }
            best = root_of(basins, best);
        }
        if (best < 0) {
            best = made++;
            basins[best] = (struct basin){best, depth, -1};
        }
        window->basin[at] = best;
    }
}

// Numbers the remaining basins and measures each part; returns their number, 0 if there are too
// many.
static int measure_parts(struct window *window, const float *data, int stride, int count,
                         struct lq_component parts[PARTS_MAX])
{
    int made = 0;
    for (int k = 0; k < count; k++) {
        int at = window->order[k], x = window->left + at % window->width;
        int y = window->top + at / window->width;
        struct basin *basin = &window->basins[root_of(window->basins, window->basin[at])];
        if (basin->part < 0) {
            if (made == PARTS_MAX)
                return 0;
            basin->part = made++;
            parts[basin->part] = (struct lq_component){.x0 = x, .y0 = y, .x1 = x, .y1 = y};
        }
        lq_component_add(&parts[basin->part], x, y, data[(ptrdiff_t)y * stride + x]);
    }
    return made;
}

static bool are_nails(const struct lq_component *parts, int count)
{
    int largest = 0;
    for (int i = 0; i < count; i++)
        largest = parts[i].count > largest ? parts[i].count : largest;
    for (int i = 0; i < count; i++)
        if ((float)parts[i].count < PART_SHARE_MIN * (float)largest ||
            lq_component_solidity(&parts[i]) < PART_SOLID_MIN)
            return false;
    return count > 1;
}

static int part_at(struct window *window, int x, int y)
{
    int at = (y - window->top) * window->width + x - window->left;
    return window->basins[root_of(window->basins, window->basin[at])].part;
}

// Splits the runs of component `index` where its parts meet. Part 0 keeps its label; the others get
// labels from `fresh` on.
static int relabel(struct lq_components *components, struct window *window, int index, int fresh)
{
    const struct lq_run *runs = lq_components_runs(components);
    struct lq_buf *out = &components->spare;
    int status = LQ_OK, made = 0;
    lq_buf_clear(out);
    for (int k = 0; status == LQ_OK && k < components->run_count; k++) {
        struct lq_run run = runs[k];
        for (int x = run.x0; status == LQ_OK && x <= runs[k].x1; x++) {
            bool last = x == runs[k].x1;
            if (runs[k].label == index) {
                int part = part_at(window, x, run.y);
                last = last || part_at(window, x + 1, run.y) != part;
                run.label = part == 0 ? index : fresh + part - 1;
            } else {
                x = runs[k].x1;
                last = true;
            }
            run.x1 = x;
            if (!last)
                continue;
            status = lq_buf_append(out, &run, sizeof(run));
            made++;
            run.x0 = x + 1;
        }
    }
    if (status != LQ_OK)
        return status;
    struct lq_buf held = components->runs;
    components->runs = *out;
    *out = held;
    components->run_count = made;
    return LQ_OK;
}

static int split_one(struct lq_components *components, const float *data, int stride,
                     int index)
{
    struct lq_component whole = lq_components_items(components)[index], parts[PARTS_MAX];
    struct window window;
    if (whole.count < POINTS_MIN || lq_component_solidity(&whole) > WHOLE_SOLID_MAX)
        return LQ_OK;
    int status = make_window(&window, components, &whole);
    if (status != LQ_OK)
        return status;
    measure_depth(&window, lq_components_runs(components), components->run_count, index);
    int points = sort_points(&window);
    flood(&window, points);
    int count = measure_parts(&window, data, stride, points, parts);
    if (!are_nails(parts, count))
        return LQ_OK;
    status = relabel(components, &window, index, components->count);
    for (int i = 1; status == LQ_OK && i < count; i++)
        status = lq_buf_append(&components->items, &parts[i], sizeof(parts[i]));
    if (status != LQ_OK)
        return status;
    ((struct lq_component *)(void *)components->items.data)[index] = parts[0];
    components->count += count - 1;
    return LQ_OK;
}

int lq_components_split(struct lq_components *components, const float *data, int stride)
{
    int status = LQ_OK;
    for (int i = 0, whole = components->count; status == LQ_OK && i < whole; i++)
        status = split_one(components, data, stride, i);
    return status;
}
