#include "nail/cut.h"

#include <stdbool.h>

enum { ROOM = 4 }; // grid points around the component

// People draw outlines where the network is a little surer than its threshold: this share of the
// way from there to 1 (docs/ACCURACY.md measures both).
static const float SURER = 0.06f;

struct frame {
    int left, top, width, height; // of the patch's grid
};

// 0..1 with the outline at 0.5; NaN becomes 0.
static float level(float p, float outline)
{
    if (!(p > 0.0f))
        return 0.0f;
    if (p >= 1.0f)
        return 1.0f;
    return p < outline ? 0.5f * p / outline : 0.5f + 0.5f * (p - outline) / (1.0f - outline);
}

static struct frame frame_of(const struct lq_component *item, const struct lq_patch *patch)
{
    int left = item->x0 > ROOM ? item->x0 - ROOM : 0;
    int top = item->y0 > ROOM ? item->y0 - ROOM : 0;
    int right = item->x1 + ROOM < patch->width ? item->x1 + ROOM : patch->width - 1;
    int bottom = item->y1 + ROOM < patch->height ? item->y1 + ROOM : patch->height - 1;
    return (struct frame){left, top, right - left + 1, bottom - top + 1};
}

static void copy_levels(float *grid, const struct lq_patch *patch, const struct frame *frame)
{
    const struct lq_float_box *box = &patch->box;
    float outline = patch->threshold + SURER * (1.0f - patch->threshold);
    float box_right = box->x + box->width, box_bottom = box->y + box->height;
    for (int j = 0; j < frame->height; j++) {
        float y = patch->y0 + (float)(frame->top + j) * patch->dy;
        bool in_rows = y >= box->y - patch->dy && y <= box_bottom + patch->dy;
        const float *row = patch->data + (ptrdiff_t)(frame->top + j) * patch->stride;
        for (int i = 0; i < frame->width; i++) {
            float x = patch->x0 + (float)(frame->left + i) * patch->dx;
            bool in = in_rows && x >= box->x - patch->dx && x <= box_right + patch->dx;
            *grid++ = in ? level(row[frame->left + i], outline) : 0.0f;
        }
    }
}

static void clear_others(float *grid, const struct lq_components *components, int index,
                         const struct frame *frame)
{
    const struct lq_run *runs = lq_components_runs(components);
    for (int k = 0; k < components->run_count; k++) {
        int j = runs[k].y - frame->top;
        if (runs[k].label == index || j < 0 || j >= frame->height)
            continue;
        int first = runs[k].x0 - frame->left, last = runs[k].x1 - frame->left;
        for (int i = first > 0 ? first : 0; i <= last && i < frame->width; i++)
            grid[(ptrdiff_t)j * frame->width + i] = 0.0f;
    }
}

// Adds a quarter of each neighbour along one row or column of n points, in place.
static void smooth_line(float *line, int n, ptrdiff_t stride)
{
    float before = line[0];
    for (int i = 0; i < n; i++) {
        float here = line[i * stride], after = line[(i + 1 < n ? i + 1 : i) * stride];
        line[i * stride] = 0.25f * (before + after) + 0.5f * here;
        before = here;
    }
}

// A grid as fine as the picture has jagged edges of its own; after smoothing, they can be drawn
// softly.
static void smooth(float *grid, const struct frame *frame, float cell)
{
    int rounds = cell < 1.4f ? 2 : cell < 2.4f ? 1 : 0;
    for (int round = 0; round < rounds; round++) {
        for (int j = 0; j < frame->height; j++)
            smooth_line(grid + (ptrdiff_t)j * frame->width, frame->width, 1);
        for (int i = 0; i < frame->width; i++)
            smooth_line(grid + i, frame->height, frame->width);
    }
}

int lq_cut(struct lq_buf *grid, const struct lq_components *components, int index,
           const struct lq_patch *patch, struct lq_refine_job *job)
{
    struct frame frame = frame_of(&lq_components_items(components)[index], patch);
    size_t points = (size_t)frame.width * (size_t)frame.height;
    int status = lq_buf_resize(grid, points * sizeof(float));
    if (status != LQ_OK)
        return status;
    float *levels = (float *)(void *)grid->data;
    copy_levels(levels, patch, &frame);
    clear_others(levels, components, index, &frame);
    smooth(levels, &frame, patch->dx > patch->dy ? patch->dx : patch->dy);
    job->grid = levels;
    job->grid_width = frame.width;
    job->grid_height = frame.height;
    job->x0 = patch->x0 + (float)frame.left * patch->dx;
    job->y0 = patch->y0 + (float)frame.top * patch->dy;
    job->dx = patch->dx;
    job->dy = patch->dy;
    return LQ_OK;
}
