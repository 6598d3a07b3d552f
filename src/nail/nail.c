#include "nail/nail.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clamp.h"
#include "nail/components.h"
#include "nail/cut.h"
#include "nail/finger.h"
#include "nail/refine.h"
#include "nail/shape.h"
#include "nail/skin.h"
#include "nail/split.h"
#include "nail/tip.h"

// Components that cannot be a nail: too small, too large or of an implausible shape.
static const float ASPECT_MAX = 6.0f;
static const float PICTURE_SHARE_MAX = 0.65f; // of the picture's pixels: a close-up of one nail
static const float AREA_MIN = 12.0f;           // picture pixels
static const float POINTS_MIN = 4.0f;          // grid points
static const float MEDIAN_SHARE_MIN = 0.06f;   // of the median nail's area
static const float PEAK_MARGIN = 0.1f;         // of the way from the threshold to 1
static const float SOLIDITY_MIN = 0.7f;        // of an ellipse's
// Minimum mean probability, as a share of the way from the threshold to 1; components much smaller
// than the others need more. (Together with solidity this removes 55 of 87 false nails on val and
// 18 of 20 on test A, and 11 and 1 of 1166 and 274 true ones.)
static const float CERTAINTY_MIN = 0.4f;
static const float SMALL_SHARE = 0.15f;        // of the middle nail's area
static const float SMALL_CERTAINTY_MIN = 0.5f;

// A component that fills much of the picture needs still more: a close-up of a nail reaches it, a
// cup of coffee does not.
static const float LARGE_SHARE = 0.05f;        // of the picture's pixels
static const float LARGE_CERTAINTY_MIN = 0.85f;

enum { CANDIDATES_MAX = 256 };

struct candidate {
    int patch, component; // component: index among that patch's own components
    int x0, y0, x1, y1;   // grid box
    float area;           // picture pixels
    float certainty;      // how far its mean lies from the threshold (0) to 1
    float confidence, rank;
};

struct lq_nail_finder {
    struct lq_components components;
    struct lq_refiner refiner;
    struct lq_buf grid;   // one nail's own window of the grid
    struct lq_buf alpha;  // all crops, one after the other
    int candidate_count;
    struct candidate candidates[CANDIDATES_MAX];
    struct lq_nails nails;
};

const char *lq_finger_name(enum lq_finger finger)
{
    static const char *const names[LQ_FINGER_COUNT] = {"unknown", "thumb", "index",
                                                       "middle",  "ring",  "little"};
    return names[finger];
}

int lq_nail_finder_new(struct lq_nail_finder **finder)
{
    *finder = calloc(1, sizeof(**finder));
    if (!*finder)
        return LQ_ERR_MEMORY;
    lq_components_init(&(*finder)->components);
    lq_refiner_init(&(*finder)->refiner);
    lq_buf_init(&(*finder)->grid, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(float));
    lq_buf_init(&(*finder)->alpha, (size_t)LQ_PICTURE_PIXELS_MAX * LQ_NAILS_MAX);
    return LQ_OK;
}

void lq_nail_finder_free(struct lq_nail_finder *finder)
{
    if (!finder)
        return;
    lq_components_release(&finder->components);
    lq_refiner_release(&finder->refiner);
    lq_buf_release(&finder->grid);
    lq_buf_release(&finder->alpha);
    free(finder);
}

// Columns or rows of a grid: point i lies at origin + i * spacing, in picture pixels.
struct axis {
    float origin, spacing;
    int count;
};

struct span {
    int first, last; // both included
};

// The points within [from, to] picture pixels.
static struct span points_within(const struct axis *axis, float from, float to)
{
    int count = axis->count;
    float a = ceilf((from - axis->origin) / axis->spacing - 0.01f);
    float b = floorf((to - axis->origin) / axis->spacing + 0.01f);
    return (struct span){a > 0.0f ? (a < (float)count ? (int)a : count) : 0,
                         b < (float)(count - 1) ? (b >= 0.0f ? (int)b : -1) : count - 1};
}

static int find_components(struct lq_nail_finder *finder, const struct lq_image *picture,
                           const struct lq_patch *patch)
{
    const struct axis across = {patch->x0, patch->dx, patch->width};
    const struct axis down = {patch->y0, patch->dy, patch->height};
    float x1 = fminf(patch->box.x + patch->box.width, (float)picture->width);
    float y1 = fminf(patch->box.y + patch->box.height, (float)picture->height);
    struct span columns = points_within(&across, fmaxf(patch->box.x, 0.0f), x1);
    struct span rows = points_within(&down, fmaxf(patch->box.y, 0.0f), y1);
    const struct lq_grid_roi roi = {patch->data, patch->stride, columns.first,
                                    rows.first, columns.last, rows.last};
    int status = lq_components_find(&finder->components, &roi, patch->threshold);
    if (status != LQ_OK || patch->single)
        return status;
    return lq_components_split(&finder->components, patch->data, patch->stride);
}

static bool plausible(const struct lq_component *item, const struct lq_patch *patch,
                      const struct lq_image *picture)
{
    float area = (float)item->count * patch->dx * patch->dy;
    float pixels = (float)picture->width * (float)picture->height;
    float peak_min = patch->threshold + PEAK_MARGIN * (1.0f - patch->threshold);
    return item->peak >= peak_min && area >= AREA_MIN && (float)item->count >= POINTS_MIN &&
           area <= PICTURE_SHARE_MAX * pixels &&
           lq_component_aspect(item, patch->dx, patch->dy) <= ASPECT_MAX &&
           lq_component_solidity(item) >= SOLIDITY_MIN;
}

// Keeps the CANDIDATES_MAX of highest rank.
static void add_candidate(struct lq_nail_finder *finder, const struct candidate *candidate)
{
    int slot = finder->candidate_count;
    if (slot < CANDIDATES_MAX) {
        finder->candidate_count++;
    } else {
        slot = 0;
        for (int i = 1; i < CANDIDATES_MAX; i++)
            if (finder->candidates[i].rank < finder->candidates[slot].rank)
                slot = i;
        if (candidate->rank <= finder->candidates[slot].rank)
            return;
    }
    finder->candidates[slot] = *candidate;
}

static void add_components(struct lq_nail_finder *finder, const struct lq_image *picture,
                           const struct lq_patch *patches, int index)
{
    const struct lq_patch *patch = &patches[index];
    const struct lq_component *items = lq_components_items(&finder->components);
    int best = -1;
    for (int i = 0; i < finder->components.count; i++) {
        const struct lq_component *item = &items[i];
        if (patch->single) {
            if (best < 0 || item->count > items[best].count)
                best = i;
            if (i < finder->components.count - 1)
                continue;
            item = &items[best];
        } else {
            best = i;
        }
        if (!plausible(item, patch, picture))
            continue;
        // A detection has its own score; in a whole-picture map the mean probability is the
        // confidence.
        float mean = item->sum / (float)item->count;
        float certainty =
            patch->single ? 1.0f : (mean - patch->threshold) / (1.0f - patch->threshold);
        float confidence = patch->confidence * (patch->single ? 1.0f : mean);
        float area = (float)item->count * patch->dx * patch->dy;
        float share = area / ((float)picture->width * (float)picture->height);
        if (certainty >= (share > LARGE_SHARE ? LARGE_CERTAINTY_MIN : CERTAINTY_MIN))
            add_candidate(finder, &(struct candidate){index, best, item->x0, item->y0, item->x1,
                                                      item->y1, area, certainty, confidence,
                                                      confidence * area});
    }
}

// Insertion sort, because the C library's qsort may allocate, and a live frame must not.
static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    unsigned char *base = items, held[256];
    assert(size <= sizeof(held));
    for (size_t i = 1; i < count; i++) {
        size_t j = i;
        memcpy(held, base + i * size, size);
        for (; j > 0 && compare(base + (j - 1) * size, held) > 0; j--)
            memcpy(base + j * size, base + (j - 1) * size, size);
        memcpy(base + j * size, held, size);
    }
}

static int by_rank(const void *a, const void *b)
{
    float difference = ((const struct candidate *)b)->rank - ((const struct candidate *)a)->rank;
    return (difference > 0.0f) - (difference < 0.0f);
}

// Sorts best first; then drops excess candidates, and those far smaller than the nail at the middle
// of the total area (a plain median would follow the specks if there are many).
static void choose_candidates(struct lq_nail_finder *finder)
{
    struct candidate *candidates = finder->candidates;
    int count = finder->candidate_count, kept = 0;
    sort(candidates, (size_t)count, sizeof(*candidates), by_rank);
    if (count > LQ_NAILS_MAX)
        count = LQ_NAILS_MAX;
    float total = 0.0f, passed = 0.0f, middle = 0.0f;
    for (int i = 0; i < count; i++)
        total += candidates[i].area;
    for (int i = 0; i < count && passed < 0.5f * total; i++) {
        passed += candidates[i].area;
        middle = candidates[i].area;
    }
    for (int i = 0; i < count; i++)
        if (candidates[i].area >= SMALL_SHARE * middle ||
            (candidates[i].area >= MEDIAN_SHARE_MIN * middle &&
             candidates[i].certainty >= SMALL_CERTAINTY_MIN))
            candidates[kept++] = candidates[i];
    finder->candidate_count = kept;
}

// The candidate's box in picture pixels, with room for the edge to move.
static void place_crop(struct lq_nail *nail, const struct candidate *candidate,
                       const struct lq_patch *patch, const struct lq_image *picture)
{
    float margin_x = 1.6f * patch->dx + 3.0f, margin_y = 1.6f * patch->dy + 3.0f;
    int right = lq_clamp_to_int(ceilf(patch->x0 + (float)candidate->x1 * patch->dx + margin_x),
                                0, picture->width);
    int bottom = lq_clamp_to_int(ceilf(patch->y0 + (float)candidate->y1 * patch->dy + margin_y),
                                 0, picture->height);
    int x = lq_clamp_to_int(patch->x0 + (float)candidate->x0 * patch->dx - margin_x,
                            0, picture->width - 1);
    int y = lq_clamp_to_int(patch->y0 + (float)candidate->y0 * patch->dy - margin_y,
                            0, picture->height - 1);
    nail->crop = (struct lq_pixel_box){x, y, (right > x ? right : x + 1) - x,
                                       (bottom > y ? bottom : y + 1) - y};
    nail->confidence = candidate->confidence;
    nail->alpha_stride = ((size_t)nail->crop.width + 15) & ~(size_t)15;
}

static int refine_candidate(struct lq_nail_finder *finder, const struct lq_image *picture,
                            const struct candidate *candidate, const struct lq_patch *patch,
                            struct lq_nail *nail, uint8_t *alpha)
{
    struct lq_refine_job job = {
        .picture = picture,
        .x = nail->crop.x, .y = nail->crop.y,
        .width = nail->crop.width, .height = nail->crop.height,
        .alpha = alpha,
        .alpha_stride = nail->alpha_stride,
    };
    nail->alpha = alpha;
    int status = lq_cut(&finder->grid, &finder->components, candidate->component, patch, &job);
    if (status == LQ_OK)
        status = lq_refine(&finder->refiner, &job);
    if (status == LQ_OK) {
        nail->edge = job.edge;
        lq_shape_measure(nail);
        lq_shape_trim(nail);
    }
    return status;
}

static int by_patch(const void *a, const void *b)
{
    const struct candidate *p = a, *q = b;
    return p->patch != q->patch ? p->patch - q->patch : p->component - q->component;
}

static int by_place(const void *a, const void *b)
{
    const struct lq_nail *p = a, *q = b;
    if (p->center_x != q->center_x)
        return p->center_x < q->center_x ? -1 : 1;
    return (p->center_y > q->center_y) - (p->center_y < q->center_y);
}

// Nails without an edge to measure get the sharpness of the others.
static void share_edges(struct lq_nails *nails)
{
    float sum = 0.0f, known = 0.0f;
    for (int i = 0; i < nails->count; i++) {
        sum += nails->items[i].edge;
        known += nails->items[i].edge > 0.0f ? 1.0f : 0.0f;
    }
    for (int i = 0; i < nails->count && known > 0.0f; i++)
        if (nails->items[i].edge == 0.0f)
            nails->items[i].edge = sum / known;
}

static int refine_all(struct lq_nail_finder *finder, const struct lq_image *picture,
                      const struct lq_patch *patches, int last_patch)
{
    struct lq_nail *items = finder->nails.items;
    size_t offset[LQ_NAILS_MAX], size = 0;
    sort(finder->candidates, (size_t)finder->candidate_count, sizeof(*finder->candidates),
         by_patch);
    for (int i = 0; i < finder->candidate_count; i++) {
        const struct candidate *candidate = &finder->candidates[i];
        place_crop(&items[i], candidate, &patches[candidate->patch], picture);
        offset[i] = size;
        size += items[i].alpha_stride * (size_t)items[i].crop.height;
    }
    int status = lq_buf_resize(&finder->alpha, size);
    for (int i = 0; status == LQ_OK && i < finder->candidate_count; i++) {
        const struct candidate *candidate = &finder->candidates[i];
        const struct lq_patch *patch = &patches[candidate->patch];
        if (candidate->patch != last_patch) // its components were overwritten by another patch's
            status = find_components(finder, picture, patch);
        last_patch = candidate->patch;
        struct lq_nail *nail = &items[finder->nails.count];
        *nail = items[i];
        if (status == LQ_OK)
            status = refine_candidate(finder, picture, candidate, patch, nail,
                                      finder->alpha.data + offset[i]);
        if (status == LQ_OK && nail->area > 0)
            finder->nails.count++;
    }
    return status;
}

static int check_patch(const struct lq_patch *patch, int index, struct lq_error *err)
{
    if (patch->width < 1 || patch->height < 1 || patch->stride < patch->width || !patch->data)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot read patch %d: it has no grid", index);
    if (!(patch->dx > 0.0f) || !(patch->dy > 0.0f) || !isfinite(patch->dx) ||
        !isfinite(patch->dy) || !isfinite(patch->x0) || !isfinite(patch->y0))
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot place patch %d: its scale is not positive",
                       index);
    if (!(patch->threshold > 0.0f) || !(patch->threshold < 1.0f))
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot read patch %d: threshold not in 0..1", index);
    return LQ_OK;
}

float lq_nail_side(const struct lq_nail *nail)
{
    return fmaxf(nail->length, nail->width);
}

void lq_nails_sort(struct lq_nails *nails)
{
    sort(nails->items, (size_t)nails->count, sizeof(nails->items[0]), by_place);
    for (int i = 0; i < nails->count; i++)
        nails->items[i].id = i + 1;
}

int lq_nail_find(struct lq_nail_finder *finder, const struct lq_image *picture,
                 const struct lq_patch *patches, int patch_count, const struct lq_nails **nails,
                 struct lq_error *err)
{
    finder->candidate_count = 0;
    finder->nails.count = 0;
    *nails = &finder->nails;
    if (picture->channels < 3)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot find nails: the picture is not in colour");
    int status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < patch_count; i++) {
        status = check_patch(&patches[i], i, err);
        if (status != LQ_OK)
            return status;
        status = find_components(finder, picture, &patches[i]);
        if (status == LQ_OK)
            add_components(finder, picture, patches, i);
    }
    if (status == LQ_OK) {
        choose_candidates(finder);
        status = refine_all(finder, picture, patches, patch_count - 1);
    }
    if (status != LQ_OK) {
        finder->nails.count = 0;
        return lq_fail(err, status, "cannot find nails: %s", lq_status_text(status));
    }
    // a detection head has judged the surroundings itself
    if (patch_count > 0 && !patches[0].single)
        lq_skin_drop_bare(picture, &finder->nails);
    lq_nails_sort(&finder->nails);
    share_edges(&finder->nails);
    lq_tip_estimate(picture, &finder->nails);
    lq_finger_classify(&finder->nails);
    for (int i = 0; i < finder->nails.count; i++)
        lq_shape_bend(&finder->nails.items[i]);
    lq_tip_agree(&finder->nails);
    return LQ_OK;
}
