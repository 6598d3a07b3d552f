#include "nail/components.h"

#include <math.h>

#include "base/limits.h"

enum { RUNS_BYTES_MAX = 256 * 1024 * 1024 };

void lq_components_init(struct lq_components *components)
{
    *components = (struct lq_components){0};
    lq_buf_init(&components->runs, RUNS_BYTES_MAX);
    lq_buf_init(&components->items, RUNS_BYTES_MAX);
    lq_buf_init(&components->scratch, (size_t)LQ_PICTURE_PIXELS_MAX * 40);
    lq_buf_init(&components->spare, RUNS_BYTES_MAX);
}

void lq_components_release(struct lq_components *components)
{
    lq_buf_release(&components->runs);
    lq_buf_release(&components->items);
    lq_buf_release(&components->scratch);
    lq_buf_release(&components->spare);
    components->run_count = components->count = 0;
}

LQ_HOT static int row_is_empty(const float *row, int n, float threshold)
{
    int any = 0;
    for (int i = 0; i < n; i++)
        any |= row[i] >= threshold;
    return !any;
}

static int append_run(struct lq_components *components, int y, int x0, int x1)
{
    int label = components->run_count;
    struct lq_run run = {y, x0, x1, label};
    int status = lq_buf_append(&components->runs, &run, sizeof(run));
    if (status == LQ_OK)
        components->run_count++;
    return status;
}

static int find_runs(struct lq_components *components, const struct lq_grid_roi *roi,
                     float threshold)
{
    const int left = roi->left, right = roi->right;
    for (int y = roi->top; y <= roi->bottom; y++) {
        const float *row = roi->data + (ptrdiff_t)y * roi->stride;
        if (row_is_empty(row + left, right - left + 1, threshold))
            continue;
        for (int x = left; x <= right; x++) {
            if (!(row[x] >= threshold))
                continue;
            int first = x;
            while (x < right && row[x + 1] >= threshold)
                x++;
            int status = append_run(components, y, first, x);
            if (status != LQ_OK)
                return status;
        }
    }
    return LQ_OK;
}

// Union-find on the runs: label is the parent's index until the components are numbered.
static int root_of(struct lq_run *runs, int i)
{
    while (runs[i].label != i) {
        runs[i].label = runs[runs[i].label].label;
        i = runs[i].label;
    }
    return i;
}

static void join(struct lq_run *runs, int a, int b)
{
    a = root_of(runs, a);
    b = root_of(runs, b);
    if (a < b)
        runs[b].label = a;
    else
        runs[a].label = b;
}

static void join_rows(struct lq_run *runs, int count)
{
    int above = 0, start = 0; // above: first run of the previous row that may still touch
    for (int i = 0; i < count; i++) {
        if (i > 0 && runs[i].y != runs[i - 1].y) {
            above = start;
            start = i;
        }
        while (above < start &&
               (runs[above].y < runs[i].y - 1 || runs[above].x1 < runs[i].x0 - 1))
            above++;
        for (int j = above; j < start && runs[j].x0 <= runs[i].x1 + 1; j++)
            join(runs, i, j);
    }
}

static void add_run(struct lq_component *item, const struct lq_run *run, const float *row)
{
    for (int x = run->x0; x <= run->x1; x++)
        lq_component_add(item, x, run->y, row[x]);
}

// Roots come before the other runs of their component, so a single pass numbers them all.
static int gather(struct lq_components *components, const float *data, int stride)
{
    struct lq_run *runs = (struct lq_run *)(void *)components->runs.data;
    for (int i = 0; i < components->run_count; i++) {
        int root = root_of(runs, i);
        if (root == i)
            components->count++;
    }
    int status = lq_buf_resize(&components->items,
                               (size_t)components->count * sizeof(struct lq_component));
    if (status != LQ_OK)
        return status;
    struct lq_component *items = (struct lq_component *)(void *)components->items.data;
    components->count = 0;
    // Roots first become -1 - number; every other run then finds its number through its root.
    for (int i = 0; i < components->run_count; i++) {
        int number;
        if (runs[i].label == i) {
            number = components->count++;
            items[number] = (struct lq_component){
                .x0 = runs[i].x0, .y0 = runs[i].y, .x1 = runs[i].x1, .y1 = runs[i].y};
        } else {
            int parent = runs[i].label;
            while (runs[parent].label >= 0)
                parent = runs[parent].label;
            number = -1 - runs[parent].label;
        }
        runs[i].label = -1 - number;
        add_run(&items[number], &runs[i], data + (ptrdiff_t)runs[i].y * stride);
    }
    for (int i = 0; i < components->run_count; i++)
        runs[i].label = -1 - runs[i].label;
    return LQ_OK;
}

int lq_components_find(struct lq_components *components, const struct lq_grid_roi *roi,
                       float threshold)
{
    lq_buf_clear(&components->runs);
    lq_buf_clear(&components->items);
    components->run_count = components->count = 0;
    int status = find_runs(components, roi, threshold);
    if (status != LQ_OK || components->run_count == 0)
        return status;
    join_rows((struct lq_run *)(void *)components->runs.data, components->run_count);
    return gather(components, roi->data, roi->stride);
}

// Variances along the longest and the shortest direction, in pixels.
static void principal(const struct lq_component *component, float dx, float dy, double *most,
                      double *least)
{
    double n = component->count, mx = component->sx / n, my = component->sy / n;
    // A point represents its whole cell, whose variance is a twelfth.
    double xx = (component->sxx / n - mx * mx + 1.0 / 12.0) * (double)dx * (double)dx;
    double yy = (component->syy / n - my * my + 1.0 / 12.0) * (double)dy * (double)dy;
    double xy = (component->sxy / n - mx * my) * (double)dx * (double)dy;
    double middle = (xx + yy) / 2.0, spread = hypot((xx - yy) / 2.0, xy);
    *most = middle + spread;
    *least = middle - spread > 1e-9 ? middle - spread : 1e-9;
}

float lq_component_aspect(const struct lq_component *component, float dx, float dy)
{
    double most, least;
    principal(component, dx, dy, &most, &least);
    return (float)sqrt(most / least);
}

float lq_component_solidity(const struct lq_component *component)
{
    double most, least;
    principal(component, 1.0f, 1.0f, &most, &least);
    return (float)(component->count / (4.0 * M_PI * sqrt(most * least)));
}
