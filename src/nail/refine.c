#include "nail/refine.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/limits.h"
#include "image/box.h"
#include "nail/guide.h"
#include "nail/outline.h"
#include "nail/sharpness.h"
#include "nail/upsample.h"

// How much probability the picture may correct in the model's guess, and how strongly it smooths. A
// nail of many grid points needs no correction: there the model's outline is better.
static const float TRUST = 0.20f;
// grid points across a nail: full correction; none
static const float POINTS_COARSE = 15.0f, POINTS_FINE = 30.0f;
static const float EPSILON = 0.02f;
// Width of the transition from bare to covered in pixels: that of the picture's edges around this
// nail.
static const float EDGE_WIDTH_MIN = 1.3f;
static const float EDGE_WIDTH_MAX = 8.0f;
static const float EDGE_WIDTH_SHARE = 0.1f; // at most, of the crop's smaller side
static const float EDGE_SPREAD = 0.1f; // pixels by which polish covers the bare nail's own rim
// A nail's outline is smooth at scales that the grid cannot resolve: detail finer than this share
// of a grid point's spacing comes from the picture's texture beside the nail.
static const float OUTLINE_SMOOTH = 0.45f;
// Grid points from the picture's border within which the network's levels are unreliable.
static const float BORDER_UNTRUSTED = 0.4f;
static const float CURVE_SLOPE_MIN = 1e-4f; // a pixel; a curve's levels are nowhere flat

enum { STEP_MAX = 16 };

// Everything one job needs, cut from one block of memory.
struct plan {
    const struct lq_refine_job *job;
    float trust;           // TRUST or less
    float edge;            // pixels from bare to covered
    struct lq_blocks blocks; // one for each pixel of the filter
    int radius;            // of its window, blocks
    float *grid_rows;      // grid_height rows of job->width: the grid stretched sideways
    struct lq_rgb_row picture; // of the blocks
    float *guess;          // of the blocks
    float *stats;          // 4 lanes: guide, guess, guide * guess, guide * guide
    float *means;          // 4 lanes
    float *lines;          // 2 lanes: slope and offset of guess against guide
    float *line_means;     // 2 lanes
    float *slope_rows, *offset_rows; // `height` rows of job->width
    int smooth;            // radius in picture pixels by which the outline is smoothed
    float *levels;         // job's size: what the outline is drawn from
    float *smoothed;       // the same; then the guide at the picture's size
    float *scratch;        // box filter
    float *rows;           // whole rows at the picture's size
};

void lq_refiner_init(struct lq_refiner *refiner)
{
    *refiner = (struct lq_refiner){0};
    lq_buf_init(&refiner->scratch, (size_t)LQ_PICTURE_PIXELS_MAX * 24 * sizeof(float));
}

void lq_refiner_release(struct lq_refiner *refiner)
{
    lq_buf_release(&refiner->scratch);
}

// Cuts parts from a memory block; without a block it only adds up what they need.
struct cutter {
    float *block;
    size_t used;
};

static float *take(struct cutter *memory, size_t count)
{
    float *floats = memory->block ? memory->block + memory->used : NULL;
    memory->used += (count + 15) & ~(size_t)15;
    return floats;
}

// Called twice: first without a block to learn its size, then for real.
static size_t plan_memory(struct plan *plan, float *block)
{
    const struct lq_blocks *blocks = &plan->blocks;
    size_t width = (size_t)plan->job->width, n = (size_t)blocks->width * (size_t)blocks->height;
    struct cutter memory = {block, 0};
    plan->grid_rows = take(&memory, width * (size_t)plan->job->grid_height);
    plan->picture.count = (int)n;
    plan->picture.red = take(&memory, n);
    plan->picture.green = take(&memory, n);
    plan->picture.blue = take(&memory, n);
    plan->guess = take(&memory, n);
    plan->stats = take(&memory, n * 4);
    plan->means = take(&memory, n * 4);
    plan->lines = take(&memory, n * 2);
    plan->line_means = take(&memory, n * 2);
    plan->slope_rows = take(&memory, width * (size_t)blocks->height);
    plan->offset_rows = take(&memory, width * (size_t)blocks->height);
    size_t pixels = width * (size_t)plan->job->height;
    plan->levels = take(&memory, pixels);
    plan->smoothed = take(&memory, pixels);
    size_t filter = (size_t)lq_box_scratch(blocks->width, 4);
    size_t outline = (size_t)lq_box_scratch(plan->job->width, 1);
    plan->scratch = take(&memory, filter > outline ? filter : outline);
    plan->rows = take(&memory, (width + 16) * 12);
    return memory.used;
}

static float points_across(const struct lq_refine_job *job, float cell)
{
    return (float)(job->width < job->height ? job->width : job->height) / cell;
}

static float trust_in_picture(const struct lq_refine_job *job, float cell)
{
    float part = (POINTS_FINE - points_across(job, cell)) / (POINTS_FINE - POINTS_COARSE);
    return TRUST * (part < 0.0f ? 0.0f : part > 1.0f ? 1.0f : part);
}

// A nail with few grid points cannot lose outline, and a fine grid has left no waves.
static int smooth_radius(const struct lq_refine_job *job, float cell)
{
    if (points_across(job, cell) >= POINTS_COARSE)
        return (int)(OUTLINE_SMOOTH * cell + 0.5f);
    int radius = (int)(OUTLINE_SMOOTH * cell);
    return radius < 2 ? 0 : radius;
}

static int plan_make(struct plan *plan, struct lq_refiner *refiner,
                     const struct lq_refine_job *job)
{
    float cell = job->dx < job->dy ? job->dx : job->dy;
    int step = (int)(cell / 3.0f);
    step = step < 1 ? 1 : step > STEP_MAX ? STEP_MAX : step;
    *plan = (struct plan){.job = job, .trust = trust_in_picture(job, cell)};
    plan->blocks = (struct lq_blocks){job->x, job->y, step, (job->width + step - 1) / step,
                                      (job->height + step - 1) / step};
    float radius = 1.1f * (job->dx > job->dy ? job->dx : job->dy) / (float)step;
    plan->radius = radius < 3.0f ? 3 : radius > 64.0f ? 64 : (int)(radius + 0.5f);
    plan->smooth = smooth_radius(job, cell);
    size_t count = plan_memory(plan, NULL);
    int status = lq_buf_resize(&refiner->scratch, count * sizeof(float));
    if (status != LQ_OK)
        return status;
    plan_memory(plan, (float *)(void *)refiner->scratch.data);
    return LQ_OK;
}

static float grid_y(const struct lq_refine_job *job, float y)
{
    return (y - job->y0) / job->dy;
}

// Stretches the grid horizontally once; each picture row is then a mix of four of these rows.
static void stretch_grid(const struct plan *plan)
{
    const struct lq_refine_job *job = plan->job;
    const struct lq_places pixels = {((float)job->x + 0.5f - job->x0) / job->dx, 1.0f / job->dx,
                                     job->width};
    lq_upsample_rows(job->grid, job->grid_width, job->grid_height, &pixels, plan->grid_rows);
}

static void guess_row(const struct plan *plan, float y, float *out)
{
    const struct lq_refine_job *job = plan->job;
    lq_upsample_column(plan->grid_rows, job->grid_height, grid_y(job, y), out, job->width);
}

// The model's guess, sampled in the filter's planes: at the middle of each block of step x step
// pixels.
static void sample_guess(const struct plan *plan)
{
    const struct lq_refine_job *job = plan->job;
    float *row = plan->rows;
    for (int j = 0; j < plan->blocks.height; j++) {
        float middle = ((float)j + 0.5f) * (float)plan->blocks.step;
        guess_row(plan, (float)job->y + middle, row);
        float *out = plan->guess + (size_t)j * (size_t)plan->blocks.width;
        for (int i = 0; i < plan->blocks.width; i++) {
            int x = i * plan->blocks.step + plan->blocks.step / 2;
            out[i] = row[x < job->width ? x : job->width - 1];
        }
    }
}

LQ_HOT static void make_stats(const float *restrict guide, const float *restrict guess,
                              float *restrict stats, int n)
{
    for (int i = 0; i < n; i++) {
        stats[4 * i] = guide[i];
        stats[4 * i + 1] = guess[i];
        stats[4 * i + 2] = guide[i] * guess[i];
        stats[4 * i + 3] = guide[i] * guide[i];
    }
}

// For each window, the line that predicts the guess from the guide (ridge regression).
LQ_HOT static void fit_lines(const float *restrict means, float *restrict lines, float epsilon,
                             int n)
{
    for (int i = 0; i < n; i++) {
        float guide = means[4 * i], guess = means[4 * i + 1];
        float covariance = means[4 * i + 2] - guide * guess;
        float variance = means[4 * i + 3] - guide * guide;
        variance = variance > 0.0f ? variance : 0.0f;
        float slope = covariance / (variance + epsilon);
        lines[2 * i] = slope;
        lines[2 * i + 1] = guess - slope * guide;
    }
}

// Runs the guided filter on its planes; leaves slope and offset stretched to the crop's width.
static void filter(const struct plan *plan, const struct lq_guide *guide)
{
    const struct lq_blocks *blocks = &plan->blocks;
    int n = blocks->width * blocks->height, width = plan->job->width;
    float *plane = plan->line_means; // free until the lines are averaged
    lq_guide_planes(guide, &plan->picture, plane);
    make_stats(plane, plan->guess, plan->stats, n);
    const struct lq_plane stats = {plan->stats, blocks->width, blocks->height, 4};
    const struct lq_plane lines = {plan->lines, blocks->width, blocks->height, 2};
    lq_box_mean(&stats, plan->means, plan->radius, plan->scratch);
    fit_lines(plan->means, plan->lines, EPSILON + 2.0f * guide->noise, n);
    lq_box_mean(&lines, plan->line_means, plan->radius, plan->scratch);
    float step = 1.0f / (float)blocks->step;
    const struct lq_places pixels = {0.5f * step - 0.5f, step, width};
    for (int j = 0; j < blocks->height; j++) {
        const float *row = plan->line_means + (size_t)j * (size_t)blocks->width * 2;
        size_t at = (size_t)j * (size_t)width;
        lq_stretch_row(row, blocks->width, 2, &pixels, plan->slope_rows + at);
        lq_stretch_row(row + 1, blocks->width, 2, &pixels, plan->offset_rows + at);
    }
}

struct line_rows {
    const float *slope0, *slope1, *offset0, *offset1;
    float t;
};

// The guided filter's result, clamped to within TRUST of the model's guess.
LQ_HOT static void refine_row(const struct line_rows *lines, const float *restrict guide,
                              const float *restrict guess, float *restrict out, float trust,
                              int n)
{
    const float *restrict s0 = lines->slope0, *restrict s1 = lines->slope1;
    const float *restrict o0 = lines->offset0, *restrict o1 = lines->offset1;
    float t = lines->t;
    for (int i = 0; i < n; i++) {
        float slope = s0[i] + (s1[i] - s0[i]) * t, offset = o0[i] + (o1[i] - o0[i]) * t;
        float value = slope * guide[i] + offset;
        float least = guess[i] - trust, most = guess[i] + trust;
        value = value < least ? least : value;
        out[i] = value > most ? most : value;
    }
}

// Levels at the picture's resolution: a row and its neighbours above and below, each one pixel
// longer at both ends.
struct level_rows {
    const float *above, *here, *below;
};

struct edge {
    float slope_min; // of levels, per pixel: the minimum slope assumed
    float width;     // pixels from bare to covered
};

// Converts the distance from level 0.5, estimated by the local slope, to coverage. The slope is
// kept above the minimum that the grid's spacing implies; otherwise flat areas would become noise.
LQ_HOT static void edge_row(const struct level_rows *rows, const struct edge *edge,
                            uint8_t *restrict alpha, int n)
{
    const float *restrict above = rows->above, *restrict here = rows->here;
    const float *restrict below = rows->below;
    const float slope_min = edge->slope_min;
    // A blurred edge has no sharp ends: made 1.5 times as wide and S-shaped, it is as steep in the
    // middle.
    const float scale = 1.0f / (1.5f * edge->width), middle = 0.5f + EDGE_SPREAD * scale;
    for (int i = 0; i < n; i++) {
        float gx = (here[i + 1] - here[i - 1]) * 0.5f, gy = (below[i] - above[i]) * 0.5f;
        float slope = sqrtf(gx * gx + gy * gy + slope_min * slope_min);
        float around = here[i - 1] + here[i + 1] + above[i] + below[i];
        float level = 0.5f * here[i] + 0.125f * around; // the picture's grain stays out of the edge
        float cover = (level - 0.5f) / slope * scale + middle;
        cover = cover > 0.0f ? cover : 0.0f; // NaN too
        cover = cover < 1.0f ? cover : 1.0f;
        cover = cover * cover * (3.0f - 2.0f * cover);
        alpha[i] = (uint8_t)(cover * 255.0f + 0.5f);
    }
}

static void refined_row(const struct plan *plan, const struct lq_guide *guide, int y, float *out)
{
    const struct lq_refine_job *job = plan->job;
    size_t width = (size_t)job->width;
    y = y < 0 ? 0 : y >= job->height ? job->height - 1 : y;
    float *guess = plan->rows, *tone = plan->rows + width + 16;
    guess_row(plan, (float)(job->y + y) + 0.5f, guess);
    lq_guide_row(guide, job->picture, job->x, job->y + y, tone, job->width);
    float p = ((float)y + 0.5f) / (float)plan->blocks.step - 0.5f;
    float last = (float)(plan->blocks.height - 1);
    p = p > 0.0f ? p : 0.0f;
    p = p < last ? p : last;
    size_t j0 = (size_t)p, j1 = j0 + (j0 + 1 < (size_t)plan->blocks.height);
    struct line_rows lines = {
        plan->slope_rows + j0 * width, plan->slope_rows + j1 * width,
        plan->offset_rows + j0 * width, plan->offset_rows + j1 * width, p - (float)j0};
    refine_row(&lines, tone, guess, out, plan->trust, job->width);
    out[-1] = out[0];
    out[width] = out[width - 1];
}

// Removes the waves that texture beside the nail caused in the outline; two box means are close
// enough to a Gaussian.
static void smooth_levels(const struct plan *plan)
{
    int width = plan->job->width, height = plan->job->height;
    const struct lq_plane levels = {plan->levels, width, height, 1};
    const struct lq_plane smoothed = {plan->smoothed, width, height, 1};
    lq_box_mean(&levels, plan->smoothed, plan->smooth, plan->scratch);
    lq_box_mean(&smoothed, plan->levels, plan->smooth, plan->scratch);
}

// The levels from which the outline is drawn; true if they are those of a smooth closed curve.
static bool make_levels(const struct plan *plan, const struct lq_guide *guide, float cell)
{
    const struct lq_refine_job *job = plan->job;
    size_t width = (size_t)job->width;
    float *row = plan->rows + (width + 16) * 2 + 8;
    for (int y = 0; y < job->height; y++) {
        refined_row(plan, guide, y, row);
        memcpy(plan->levels + (size_t)y * width, row, width * sizeof *row);
    }
    if (plan->smooth)
        smooth_levels(plan);
    for (int y = 0; y < job->height; y++)
        lq_guide_row(guide, job->picture, job->x, job->y + y,
                     plan->smoothed + (size_t)y * width, job->width);
    struct lq_outline outline;
    const struct lq_outline_field field = {
        plan->levels, plan->smoothed, job->width, job->height,
        {job->x == 0, job->y == 0, job->x + job->width == job->picture->width,
         job->y + job->height == job->picture->height},
        BORDER_UNTRUSTED * cell};
    if (!lq_outline_fit(&outline, &field))
        return false;
    lq_outline_draw(&outline, &field);
    return true;
}

// Row y of those levels, one pixel longer at both ends.
static void level_row(const struct plan *plan, int y, float *out)
{
    size_t width = (size_t)plan->job->width;
    y = y < 0 ? 0 : y >= plan->job->height ? plan->job->height - 1 : y;
    memcpy(out, plan->levels + (size_t)y * width, width * sizeof *out);
    out[-1] = out[0];
    out[width] = out[width - 1];
}

// An edge sharper than the photo around it makes polish look like a sticker.
static float edge_width(const struct plan *plan, float width)
{
    const struct lq_refine_job *job = plan->job;
    float most = EDGE_WIDTH_SHARE * (float)(job->width < job->height ? job->width : job->height);
    most = most < EDGE_WIDTH_MAX ? most : EDGE_WIDTH_MAX;
    width = width < most ? width : most;
    return width > EDGE_WIDTH_MIN ? width : EDGE_WIDTH_MIN;
}

static void write_alpha(const struct plan *plan, const struct lq_guide *guide)
{
    const struct lq_refine_job *job = plan->job;
    size_t width = (size_t)job->width;
    float *ring[3];
    for (int k = 0; k < 3; k++)
        ring[k] = plan->rows + (width + 16) * (size_t)(k + 2) + 8;
    float cell = job->dx > job->dy ? job->dx : job->dy;
    bool curve = make_levels(plan, guide, cell);
    float slope_min = curve ? CURVE_SLOPE_MIN : 0.12f / (cell > 1.0f ? cell : 1.0f);
    const struct edge edge = {slope_min, plan->edge};
    level_row(plan, -1, ring[0]);
    level_row(plan, 0, ring[1]);
    for (int y = 0; y < job->height; y++) {
        const struct level_rows rows = {ring[y % 3], ring[(y + 1) % 3], ring[(y + 2) % 3]};
        level_row(plan, y + 1, ring[(y + 2) % 3]);
        edge_row(&rows, &edge, job->alpha + (size_t)y * job->alpha_stride, job->width);
    }
}

int lq_refine(struct lq_refiner *refiner, struct lq_refine_job *job)
{
    struct plan plan;
    int status = plan_make(&plan, refiner, job);
    if (status != LQ_OK)
        return status;
    stretch_grid(&plan);
    sample_guess(&plan);
    lq_guide_sample(job->picture, &plan.blocks, &plan.picture);
    struct lq_guide guide;
    lq_guide_fit(&guide, &plan.picture, plan.guess);
    filter(&plan, &guide);
    job->edge = lq_sharpness_edge(job->picture, &plan.blocks, plan.guess);
    plan.edge = edge_width(&plan, job->edge);
    if (job->edge > 0.0f)
        job->edge = plan.edge;
    write_alpha(&plan, &guide);
    return LQ_OK;
}
