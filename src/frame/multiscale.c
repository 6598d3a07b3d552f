#include "frame/multiscale.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "frame/window.h"
#include "nail/region.h"
#include "nail/upsample.h"

static const float RAMP = 0.2f;  // part of a window over which its weight rises from its edge
// Share of the windows in the map, at full weight; chosen on val for windows of two views, and of
// one view.
static const float SHARE = 0.6f, CLOSER_SHARE = 0.8f;

// A window may lack the context that distinguishes nail from skin. If the first pass was this
// confident of a nail and the windows do not show it, the first pass prevails.
static const float FIRST_CONFIDENCE_MIN = 0.65f;
static const float NAIL_GONE = 0.5f;

enum {
    FINE_POINTS_MAX = 1536,
    CLOSER_WINDOWS_MAX = 3, // so that a video's first frame takes at most four passes
};

struct lq_multiscale {
    struct lq_buf first; // the first pass's grid; the runner overwrites its own
    struct lq_buf map;   // the fine map, followed by the windows' sums and weights
    struct lq_buf row;
    int window_count;
    struct lq_window windows[LQ_WINDOWS_MAX];
    int views;   // of each window: 1 straight, 2 also mirrored
    float share; // of the windows in the map
    struct lq_patch fine;
};

int lq_multiscale_new(struct lq_multiscale **out)
{
    struct lq_multiscale *multiscale = calloc(1, sizeof *multiscale);
    if (!multiscale)
        return LQ_ERR_MEMORY;
    size_t points = (size_t)FINE_POINTS_MAX * FINE_POINTS_MAX;
    lq_buf_init(&multiscale->first, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(float));
    lq_buf_init(&multiscale->map, points * 3 * sizeof(float));
    lq_buf_init(&multiscale->row, FINE_POINTS_MAX * 3 * sizeof(float));
    *out = multiscale;
    return LQ_OK;
}

void lq_multiscale_free(struct lq_multiscale *multiscale)
{
    if (!multiscale)
        return;
    lq_buf_release(&multiscale->first);
    lq_buf_release(&multiscale->map);
    lq_buf_release(&multiscale->row);
    free(multiscale);
}

static int keep_first(struct lq_multiscale *multiscale, struct lq_patch *patch,
                      struct lq_error *err)
{
    size_t row = (size_t)patch->width * sizeof(float);
    if (lq_buf_resize(&multiscale->first, row * (size_t)patch->height) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    for (int y = 0; y < patch->height; y++)
        memcpy(multiscale->first.data + row * (size_t)y, patch->data + (ptrdiff_t)y * patch->stride,
               row);
    patch->data = (const float *)(const void *)multiscale->first.data;
    patch->stride = patch->width;
    return LQ_OK;
}

static float *plane(const struct lq_multiscale *multiscale, int index)
{
    size_t points = (size_t)multiscale->fine.width * (size_t)multiscale->fine.height;
    return (float *)(void *)multiscale->map.data + points * (size_t)index;
}

// As fine as the network's grid in the smallest window, but no finer than the picture.
static int make_fine(struct lq_multiscale *multiscale, const struct lq_image *picture,
                     const struct lq_patch *first, struct lq_error *err)
{
    float longer = (float)(picture->width > picture->height ? picture->width : picture->height);
    float points = (float)(first->width > first->height ? first->width : first->height);
    float spacing = first->dx < first->dy ? first->dx : first->dy;
    for (int i = 0; i < multiscale->window_count; i++)
        spacing = fminf(spacing, lq_window_side(&multiscale->windows[i]) / points);
    spacing = fmaxf(spacing, fmaxf(1.0f, longer / FINE_POINTS_MAX));
    struct lq_patch *fine = &multiscale->fine;
    *fine = *first;
    fine->width = fine->stride = (int)fmaxf(1.0f, floorf((float)picture->width / spacing));
    fine->height = (int)fmaxf(1.0f, floorf((float)picture->height / spacing));
    fine->dx = (float)picture->width / (float)fine->width;
    fine->dy = (float)picture->height / (float)fine->height;
    fine->x0 = 0.5f * fine->dx;
    fine->y0 = 0.5f * fine->dy;
    size_t count = (size_t)fine->width * (size_t)fine->height;
    if (lq_buf_resize(&multiscale->map, count * 3 * sizeof(float)) != LQ_OK ||
        lq_buf_resize(&multiscale->row, (size_t)FINE_POINTS_MAX * 3 * sizeof(float)) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    fine->data = plane(multiscale, 0);
    memset(plane(multiscale, 1), 0, count * 2 * sizeof(float));
    return LQ_OK;
}

// Samples `count` values of the patch along one row of the fine map, from column `left` on.
static void sample_row(const struct lq_multiscale *multiscale, const struct lq_patch *patch,
                       int left, int y, int count, float *out)
{
    const struct lq_patch *fine = &multiscale->fine;
    float *below = (float *)(void *)multiscale->row.data + 2 * (size_t)FINE_POINTS_MAX;
    const struct lq_places places = {(fine->x0 + (float)left * fine->dx - patch->x0) / patch->dx,
                                     fine->dx / patch->dx, count};
    float last = (float)(patch->height - 1);
    float at = (fine->y0 + (float)y * fine->dy - patch->y0) / patch->dy;
    at = fminf(fmaxf(at, 0.0f), last);
    int high = (int)at, low = high + (high + 1 < patch->height);
    lq_stretch_row(patch->data + (ptrdiff_t)high * patch->stride, patch->width, 1, &places, out);
    lq_stretch_row(patch->data + (ptrdiff_t)low * patch->stride, patch->width, 1, &places, below);
    for (int i = 0; i < count; i++)
        out[i] += (below[i] - out[i]) * (at - (float)high);
}

// Rises from 0 at a window's edge to 1; is 1 at the picture's own edge, where no other window
// overlaps.
static float weight_at(float at, float from, float to, int limit)
{
    float ramp = RAMP * (to - from);
    float left = from <= 0.0f ? 1.0f : (at - from) / ramp;
    float right = to >= (float)limit ? 1.0f : (to - at) / ramp;
    return fminf(fmaxf(fminf(left, right), 0.0f), 1.0f);
}

// patch: the result for one of the window's views, in picture coordinates.
static void add_window(struct lq_multiscale *multiscale, const struct lq_image *picture,
                       const struct lq_window *window, const struct lq_patch *patch)
{
    const struct lq_patch *fine = &multiscale->fine;
    float *values = (float *)(void *)multiscale->row.data, *sums = plane(multiscale, 1);
    float *weights = plane(multiscale, 2), *across = values + FINE_POINTS_MAX;
    int left = (int)(window->x0 / fine->dx), top = (int)(window->y0 / fine->dy);
    int right = (int)fminf(ceilf(window->x1 / fine->dx), (float)fine->width);
    int bottom = (int)fminf(ceilf(window->y1 / fine->dy), (float)fine->height);
    for (int x = left; x < right; x++)
        across[x - left] =
            weight_at(fine->x0 + (float)x * fine->dx, window->x0, window->x1, picture->width);
    for (int y = top; y < bottom; y++) {
        float down =
            weight_at(fine->y0 + (float)y * fine->dy, window->y0, window->y1, picture->height) /
            (float)multiscale->views;
        ptrdiff_t row = (ptrdiff_t)y * fine->width + left;
        sample_row(multiscale, patch, left, y, right - left, values);
        for (int x = 0; x < right - left; x++) {
            sums[row + x] += values[x] * across[x] * down;
            weights[row + x] += across[x] * down;
        }
    }
}

struct span { // of points in the fine map
    int x0, y0, x1, y1;
};

// The fine map's points inside a nail's crop; they are at least a pixel apart.
static struct span span_of(const struct lq_patch *fine, const struct lq_nail *nail)
{
    const struct lq_pixel_box *crop = &nail->crop;
    return (struct span){(int)ceilf(((float)crop->x - fine->x0) / fine->dx),
                         (int)ceilf(((float)crop->y - fine->y0) / fine->dy),
                         (int)ceilf(((float)(crop->x + crop->width) - fine->x0) / fine->dx),
                         (int)ceilf(((float)(crop->y + crop->height) - fine->y0) / fine->dy)};
}

static bool covers(const struct lq_nail *nail, const struct lq_patch *fine, int x, int y)
{
    int across = (int)(fine->x0 + (float)x * fine->dx) - nail->crop.x;
    int down = (int)(fine->y0 + (float)y * fine->dy) - nail->crop.y;
    return across >= 0 && across < nail->crop.width && down >= 0 && down < nail->crop.height &&
           nail->alpha[(size_t)down * nail->alpha_stride + (size_t)across] >= 128;
}

// The windows' mean probability over a nail; 1 if no window covers it.
static float windows_mean(const struct lq_multiscale *multiscale, const struct lq_nail *nail)
{
    const struct lq_patch *fine = &multiscale->fine;
    const float *sums = plane(multiscale, 1), *weights = plane(multiscale, 2);
    struct span span = span_of(fine, nail);
    float sum = 0.0f, weight = 0.0f;
    for (int y = span.y0; y < span.y1; y++)
        for (int x = span.x0; x < span.x1; x++)
            if (covers(nail, fine, x, y)) {
                sum += sums[(ptrdiff_t)y * fine->width + x];
                weight += weights[(ptrdiff_t)y * fine->width + x];
            }
    return weight > 0.0f ? sum / weight : 1.0f;
}

// Clears the windows' weights where the first pass prevails.
static void restore_confident(struct lq_multiscale *multiscale, const struct lq_nails *nails)
{
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        if (nail->confidence < FIRST_CONFIDENCE_MIN || windows_mean(multiscale, nail) >= NAIL_GONE)
            continue;
        struct span span = span_of(&multiscale->fine, nail);
        for (int y = span.y0; y < span.y1; y++)
            memset(plane(multiscale, 2) + (ptrdiff_t)y * multiscale->fine.width + span.x0, 0,
                   (size_t)(span.x1 - span.x0) * sizeof(float));
    }
}

static void join_passes(struct lq_multiscale *multiscale, const struct lq_patch *first)
{
    int width = multiscale->fine.width;
    float share = multiscale->share;
    float *map = plane(multiscale, 0), *sums = plane(multiscale, 1),
          *weights = plane(multiscale, 2);
    for (int y = 0; y < multiscale->fine.height; y++) {
        ptrdiff_t row = (ptrdiff_t)y * width;
        sample_row(multiscale, first, 0, y, width, map + row);
        for (ptrdiff_t i = row; i < row + width; i++)
            if (weights[i] > 0.0f)
                map[i] += share * fminf(weights[i], 1.0f) * (sums[i] / weights[i] - map[i]);
    }
}

int lq_pass_run(struct lq_passes *passes, const struct lq_image *image, bool mirrored,
                const struct lq_patch **patches, struct lq_error *err)
{
    struct lq_runner *runner = passes->runner;
    int count;
    if (passes->pause)
        passes->pause(passes->context);
    if (passes->deadline_us && lq_clock_us() >= passes->deadline_us)
        return lq_fail(err, LQ_ERR_TIMEOUT, "the picture is too old for another pass");
    passes->count++;
    int status = lq_runner_prepare(runner, image, passes->exclusive, err);
    if (status == LQ_OK && mirrored)
        lq_runner_mirror(runner);
    if (status == LQ_OK)
        status = lq_runner_infer(runner, passes->deadline_us, err);
    if (status == LQ_OK)
        status = lq_runner_patches(runner, patches, &count, err);
    return status;
}

// Replaces the first pass by its mean with a pass on the mirrored picture.
static int add_mirrored(struct lq_multiscale *multiscale, const struct lq_image *picture,
                        const struct lq_patch *first, struct lq_passes *passes,
                        struct lq_error *err)
{
    const struct lq_patch *patches;
    int status = lq_pass_run(passes, picture, true, &patches, err);
    if (status != LQ_OK)
        return status;
    float *mean = (float *)(void *)multiscale->first.data;
    for (int y = 0; y < first->height; y++)
        for (int x = 0; x < first->width; x++) {
            float *value = &mean[(ptrdiff_t)y * first->stride + x];
            *value += (patches[0].data[(ptrdiff_t)y * patches[0].stride + x] - *value) * 0.5f;
        }
    return LQ_OK;
}

static int run_window(struct lq_multiscale *multiscale, const struct lq_image *picture,
                      const struct lq_window *window, struct lq_passes *passes,
                      struct lq_error *err)
{
    const struct lq_pixel_box box = lq_window_box(window);
    struct lq_image part = lq_image_part(picture, &box);
    for (int mirrored = 0; mirrored < multiscale->views; mirrored++) {
        const struct lq_patch *patches;
        int status = lq_pass_run(passes, &part, mirrored, &patches, err);
        if (status != LQ_OK)
            return status;
        struct lq_patch placed = patches[0];
        lq_patch_place(&placed, &box);
        add_window(multiscale, picture, window, &placed);
    }
    return LQ_OK;
}

// Runs the network on the chosen windows and merges their results with the first pass.
static int run_windows(struct lq_multiscale *multiscale, const struct lq_image *picture,
                       const struct lq_patch *first, const struct lq_nails *found,
                       struct lq_passes *passes, struct lq_error *err)
{
    int status = make_fine(multiscale, picture, first, err);
    for (int i = 0; status == LQ_OK && i < multiscale->window_count; i++)
        status = run_window(multiscale, picture, &multiscale->windows[i], passes, err);
    if (status != LQ_OK)
        return status;
    restore_confident(multiscale, found);
    join_passes(multiscale, first);
    return LQ_OK;
}

// Points in a row of a map of this area, were it square.
static float points_of(const struct lq_patch *patch)
{
    return sqrtf((float)patch->width * (float)patch->height);
}

static bool has_map(const struct lq_first_pass *found)
{
    return found->patch_count == 1 && !found->patches[0].single;
}

int lq_multiscale_detect(struct lq_multiscale *multiscale, const struct lq_image *picture,
                         const struct lq_first_pass *found, struct lq_passes *passes,
                         const struct lq_patch **fine, struct lq_error *err)
{
    *fine = NULL;
    if (!has_map(found) || found->nails->count == 0)
        return LQ_OK;
    struct lq_patch first = found->patches[0];
    multiscale->window_count =
        lq_windows_choose(multiscale->windows, picture, found->nails, points_of(&first));
    multiscale->views = 2;
    multiscale->share = SHARE;
    int status = keep_first(multiscale, &first, err);
    if (status == LQ_OK)
        status = add_mirrored(multiscale, picture, &first, passes, err);
    if (status == LQ_OK)
        status = run_windows(multiscale, picture, &first, found->nails, passes, err);
    if (status == LQ_OK)
        *fine = &multiscale->fine;
    return status;
}

// One window around all nails or, if they are large or far apart, a few around the largest.
static void choose_closer(struct lq_multiscale *multiscale, const struct lq_image *picture,
                          const struct lq_nails *nails, float points)
{
    struct lq_region region = {0};
    struct lq_pixel_box box;
    for (int i = 0; i < nails->count; i++)
        lq_region_add(&region, &nails->items[i], 0.0f, 0.0f);
    multiscale->views = 1;
    multiscale->share = CLOSER_SHARE;
    if (lq_region_place(&region, picture, &box)) {
        multiscale->windows[0] = lq_window_of(&box);
        multiscale->window_count = 1;
        return;
    }
    int count = lq_windows_choose(multiscale->windows, picture, nails, points);
    multiscale->window_count = count < CLOSER_WINDOWS_MAX ? count : CLOSER_WINDOWS_MAX;
}

int lq_multiscale_closer(struct lq_multiscale *multiscale, const struct lq_image *picture,
                         const struct lq_first_pass *found, struct lq_passes *passes,
                         const struct lq_patch **fine, struct lq_error *err)
{
    *fine = NULL;
    if (!has_map(found) || found->nails->count == 0)
        return LQ_OK;
    struct lq_patch first = found->patches[0];
    int status = keep_first(multiscale, &first, err);
    choose_closer(multiscale, picture, found->nails, points_of(&first));
    if (status == LQ_OK && multiscale->window_count > 0) {
        status = run_windows(multiscale, picture, &first, found->nails, passes, err);
    } else if (status == LQ_OK) {
        status = add_mirrored(multiscale, picture, &first, passes, err);
        multiscale->fine = first;
    }
    if (status == LQ_OK)
        *fine = &multiscale->fine;
    return status;
}
