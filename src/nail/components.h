// Connected components of a grid of probabilities, stored as runs of adjacent points.
// Threads: one owner at a time. Owner: init/release by the caller; memory is kept between grids.
#pragma once

#include "base/buf.h"

// Points x0..x1 (both included) of row y, all at or above the threshold.
struct lq_run {
    int y, x0, x1;
    int label; // index into components once lq_components_find is done
};

struct lq_component {
    int x0, y0, x1, y1;           // bounding box in grid points, both ends included
    int count;                    // points
    float sum, peak;              // of their probabilities
    double sx, sy, sxx, sxy, syy; // first and second moments of the points' positions
};

struct lq_components {
    struct lq_buf runs;  // struct lq_run, top to bottom, left to right
    struct lq_buf items; // struct lq_component
    struct lq_buf scratch, spare; // for split.c: one component's window; runs being regrouped
    int run_count, count;
};

void lq_components_init(struct lq_components *components);
void lq_components_release(struct lq_components *components);

// The region of interest of a grid of probabilities; everything outside it counts as empty.
struct lq_grid_roi {
    const float *data;            // of the whole grid, from its point (0, 0)
    int stride;                   // floats from one row of the grid to the next
    int left, top, right, bottom; // columns and rows, all four included; empty: right < left
};

// Finds the components of the points at or above the threshold (8 neighbours); NaN counts as below.
LQ_MUST_CHECK int lq_components_find(struct lq_components *components,
                                     const struct lq_grid_roi *roi, float threshold);

static inline void lq_component_add(struct lq_component *item, int x, int y, float p)
{
    item->x0 = x < item->x0 ? x : item->x0;
    item->x1 = x > item->x1 ? x : item->x1;
    item->y0 = y < item->y0 ? y : item->y0;
    item->y1 = y > item->y1 ? y : item->y1;
    item->count++;
    item->sum += p;
    item->peak = p > item->peak ? p : item->peak;
    item->sx += x;
    item->sy += y;
    item->sxx += (double)x * x;
    item->sxy += (double)x * y;
    item->syy += (double)y * y;
}

static inline const struct lq_run *lq_components_runs(const struct lq_components *components)
{
    return (const struct lq_run *)(const void *)components->runs.data;
}

static inline const struct lq_component *lq_components_items(const struct lq_components *components)
{
    return (const struct lq_component *)(const void *)components->items.data;
}

// Length divided by width, from second moments; 1 for a disc or a square.
float lq_component_aspect(const struct lq_component *component, float dx, float dy);

// The number of points divided by that of an ellipse with the same moments: 1 for an ellipse, 0.95
// for a rectangle, far less for a ring, a crescent or scattered points.
float lq_component_solidity(const struct lq_component *component);
