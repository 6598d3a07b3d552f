#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clamp.h"
#include "model/decode.h"

enum { BOX_VALUES = 4 };

struct candidate {
    float score;
    float x0, y0, x1, y1; // tensor pixels
    uint32_t anchor;
};

int lq_yolo_init(struct lq_yolo *yolo, const struct lq_layout *layout)
{
    size_t anchors = (size_t)layout->anchors;
    yolo->grid_floats = (size_t)layout->proto_width * (size_t)layout->proto_height;
    yolo->heap = malloc(anchors * sizeof *yolo->heap);
    yolo->scores = malloc(anchors * sizeof *yolo->scores);
    yolo->grids = malloc(LQ_NAILS_MAX * yolo->grid_floats * sizeof *yolo->grids);
    return yolo->heap && yolo->scores && yolo->grids ? LQ_OK : LQ_ERR_MEMORY;
}

void lq_yolo_release(struct lq_yolo *yolo)
{
    free(yolo->heap);
    free(yolo->scores);
    free(yolo->grids);
    *yolo = (struct lq_yolo){0};
}

// Value `row` (0..3 box, then classes, then coefficients) of an anchor.
static float det_value(const struct lq_layout *layout, const float *det, int row, uint32_t anchor)
{
    int rows = BOX_VALUES + layout->classes + layout->protos;
    return layout->det_transposed ? det[(size_t)anchor * (size_t)rows + (size_t)row]
                                  : det[(size_t)row * (size_t)layout->anchors + anchor];
}

// scores = max(scores, row). NaN is ignored, since the comparison is false for it.
LQ_HOT static void keep_larger(float *scores, const float *row, int step, int count)
{
    for (int i = 0; i < count; i++) {
        float value = row[(size_t)i * (size_t)step];
        scores[i] = value > scores[i] ? value : scores[i];
    }
}

static bool is_nail_class(const struct lq_rules *rules, int class)
{
    return class >= 64 ? rules->class_mask == UINT64_MAX : rules->class_mask >> class & 1;
}

// The network chose one class per row, stored as a whole number in a float.
static void score_final(struct lq_yolo *yolo, const struct lq_layout *layout,
                        const struct lq_rules *rules, const float *det)
{
    for (int i = 0; i < layout->anchors; i++) {
        float score = det_value(layout, det, BOX_VALUES, (uint32_t)i);
        float class = det_value(layout, det, BOX_VALUES + 1, (uint32_t)i);
        bool nail = class > -0.5f && class < 1e6f && is_nail_class(rules, (int)(class + 0.5f));
        yolo->scores[i] = nail && score > 0 ? score : 0;
    }
}

static void score_queries(struct lq_yolo *yolo, const struct lq_layout *layout,
                          const struct lq_rules *rules, const float *labels)
{
    for (int i = 0; i < layout->anchors; i++) {
        float best = -INFINITY;
        for (int class = 0; class < layout->classes; class++) {
            float logit = labels[(size_t)i * (size_t)layout->classes + (size_t)class];
            if (logit > best && is_nail_class(rules, class))
                best = logit;
        }
        yolo->scores[i] = lq_sigmoid(best);
    }
}

static void score_anchors(struct lq_yolo *yolo, const struct lq_layout *layout,
                          const struct lq_rules *rules, const float *det)
{
    memset(yolo->scores, 0, (size_t)layout->anchors * sizeof *yolo->scores);
    int rows = BOX_VALUES + layout->classes + layout->protos;
    for (int class = 0; class < layout->classes; class++) {
        if (!is_nail_class(rules, class))
            continue;
        int row = BOX_VALUES + class;
        if (layout->det_transposed)
            keep_larger(yolo->scores, det + row, rows, layout->anchors);
        else
            keep_larger(yolo->scores, det + (size_t)row * (size_t)layout->anchors, 1,
                        layout->anchors);
    }
}

// Anchors cover the whole tensor, whatever the picture shows, so the mean of the boxes' centres
// distinguishes pixels (half the width) from 0..1 (a half). If the network selected the rows, the
// right and lower edges of confident boxes decide.
static bool boxes_in_pixels(const struct lq_detections *detections, const float *scores)
{
    const struct lq_layout *layout = detections->layout;
    if (detections->rules->boxes != LQ_BOXES_AUTO)
        return detections->rules->boxes == LQ_BOXES_PIXELS;
    if (layout->rows == LQ_ROWS_QUERIES)
        return false;
    bool final = layout->rows == LQ_ROWS_FINAL;
    double sum = 0, largest = 0;
    int count = 0;
    for (int i = 0; i < layout->anchors; i++) {
        float x = det_value(layout, detections->det, final ? 2 : 0, (uint32_t)i);
        float y = det_value(layout, detections->det, 3, (uint32_t)i);
        if (!(fabsf(x) < 1e5f)) // also rejects NaN
            continue;
        if (final && scores[i] >= detections->rules->score_min && fabsf(y) < 1e5f)
            largest = fmax(largest, fmax((double)x, (double)y));
        sum += (double)x;
        count++;
    }
    return final ? largest > 2.0 : count > 0 && sum / count > 2.0;
}

// ---- a heap of anchors, best score on top: sorts only as many as are read

static bool better(const float *scores, uint32_t a, uint32_t b)
{
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
}

static void sink(uint32_t *heap, int count, int at, const float *scores)
{
    for (;;) {
        int child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && better(scores, heap[child + 1], heap[child]))
            child++;
        if (!better(scores, heap[child], heap[at]))
            return;
        uint32_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

static int build_heap(struct lq_yolo *yolo, const struct lq_layout *layout, float score_min)
{
    int count = 0;
    for (int i = 0; i < layout->anchors; i++)
        if (yolo->scores[i] >= score_min && yolo->scores[i] <= 1e3f) // not infinite
            yolo->heap[count++] = (uint32_t)i;
    for (int at = count / 2 - 1; at >= 0; at--)
        sink(yolo->heap, count, at, yolo->scores);
    return count;
}

static uint32_t pop_best(struct lq_yolo *yolo, int *count)
{
    uint32_t best = yolo->heap[0];
    yolo->heap[0] = yolo->heap[--*count];
    sink(yolo->heap, *count, 0, yolo->scores);
    return best;
}

// ---- boxes

// False if the box is invalid or outside the picture.
static bool read_box(const struct lq_detections *detections, bool pixels, struct candidate *box)
{
    const struct lq_geometry *geometry = detections->geometry;
    bool corners = detections->layout->rows == LQ_ROWS_FINAL;
    float v[BOX_VALUES];
    for (int i = 0; i < BOX_VALUES; i++) {
        float unit = pixels ? 1.0f : (float)(i & 1 ? geometry->tensor_height
                                                   : geometry->tensor_width);
        v[i] = detections->layout->rows == LQ_ROWS_QUERIES
                   ? detections->det[(size_t)box->anchor * BOX_VALUES + (size_t)i]
                   : det_value(detections->layout, detections->det, i, box->anchor);
        v[i] *= unit;
        if (!(fabsf(v[i]) < 1e6f))
            return false;
    }
    box->x0 = corners ? v[0] : v[0] - v[2] / 2;
    box->y0 = corners ? v[1] : v[1] - v[3] / 2;
    box->x1 = corners ? v[2] : v[0] + v[2] / 2;
    box->y1 = corners ? v[3] : v[1] + v[3] / 2;
    float left = geometry->offset_x, top = geometry->offset_y;
    float right = left + (float)geometry->picture_width * geometry->scale_x;
    float bottom = top + (float)geometry->picture_height * geometry->scale_y;
    return box->x1 > box->x0 && box->y1 > box->y0 && box->x1 > left && box->y1 > top &&
           box->x0 < right && box->y0 < bottom;
}

static float overlap(const struct candidate *a, const struct candidate *b)
{
    float width = fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0);
    float height = fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0);
    if (width <= 0 || height <= 0)
        return 0;
    float both = width * height;
    float area_a = (a->x1 - a->x0) * (a->y1 - a->y0);
    float area_b = (b->x1 - b->x0) * (b->y1 - b->y0);
    return both / (area_a + area_b - both);
}

static int choose(struct lq_yolo *yolo, const struct lq_detections *detections,
                  struct candidate *kept)
{
    bool pixels = boxes_in_pixels(detections, yolo->scores);
    int left = build_heap(yolo, detections->layout, detections->rules->score_min);
    int count = 0;
    while (left > 0 && count < LQ_NAILS_MAX) {
        struct candidate *next = &kept[count];
        next->anchor = pop_best(yolo, &left);
        next->score = yolo->scores[next->anchor];
        bool keep = read_box(detections, pixels, next);
        for (int i = 0; i < count && keep; i++)
            keep = overlap(&kept[i], next) <= detections->rules->nms_iou;
        count += keep;
    }
    return count;
}

// ---- masks

// out[i] += coefficient * plane[i]
LQ_HOT static void add_scaled(float *restrict out, const float *restrict plane, float coefficient,
                              int count)
{
    for (int i = 0; i < count; i++)
        out[i] += coefficient * plane[i];
}

static void row_channels_first(const struct lq_layout *layout, const float *proto,
                               const float *coefficients, size_t at, float *out, int count)
{
    size_t plane = (size_t)layout->proto_width * (size_t)layout->proto_height;
    memset(out, 0, (size_t)count * sizeof *out);
    for (int c = 0; c < layout->protos; c++)
        add_scaled(out, proto + (size_t)c * plane + at, coefficients[c], count);
}

LQ_HOT static void row_channels_last(const float *restrict proto,
                                     const float *restrict coefficients, int protos,
                                     float *restrict out, int count)
{
    for (int i = 0; i < count; i++) {
        float sum = 0;
        for (int c = 0; c < protos; c++)
            sum += proto[(size_t)i * (size_t)protos + (size_t)c] * coefficients[c];
        out[i] = sum;
    }
}

// The grid points inside a box and one more on each side, so that the nail's edge can be
// interpolated.
struct part {
    int i0, j0, width, height;
    float step_x, step_y; // tensor pixels; point i is at (i + 0.5) * step
};

static struct part part_of(const struct lq_detections *detections, const struct candidate *box)
{
    const struct lq_layout *layout = detections->layout;
    struct part part = {
        .step_x = (float)detections->geometry->tensor_width / (float)layout->proto_width,
        .step_y = (float)detections->geometry->tensor_height / (float)layout->proto_height,
    };
    part.i0 = lq_clamp_to_int(floorf(box->x0 / part.step_x - 0.5f), 0, layout->proto_width - 1);
    part.j0 = lq_clamp_to_int(floorf(box->y0 / part.step_y - 0.5f), 0, layout->proto_height - 1);
    int i1 = lq_clamp_to_int(ceilf(box->x1 / part.step_x - 0.5f), part.i0,
                             layout->proto_width - 1);
    int j1 = lq_clamp_to_int(ceilf(box->y1 / part.step_y - 0.5f), part.j0,
                             layout->proto_height - 1);
    part.width = i1 - part.i0 + 1;
    part.height = j1 - part.j0 + 1;
    return part;
}

// Adds up the prototypes in that part, weighted by the detection's coefficients.
static void mix_prototypes(const struct lq_detections *detections, const struct part *part,
                           uint32_t anchor, float *grid)
{
    const struct lq_layout *layout = detections->layout;
    float coefficients[256];
    int first = BOX_VALUES + layout->classes;
    for (int c = 0; c < layout->protos; c++)
        coefficients[c] = det_value(layout, detections->det, first + c, anchor);
    for (int j = 0; j < part->height; j++) {
        size_t at = (size_t)(part->j0 + j) * (size_t)layout->proto_width + (size_t)part->i0;
        float *row = grid + (size_t)j * (size_t)part->width;
        if (layout->proto_channels_first)
            row_channels_first(layout, detections->proto, coefficients, at, row, part->width);
        else
            row_channels_last(detections->proto + at * (size_t)layout->protos, coefficients,
                              layout->protos, row, part->width);
        for (int i = 0; i < part->width; i++)
            row[i] = lq_sigmoid(row[i]);
    }
}

// A query's own mask: logits, unless all of them lie within 0..1.
static void copy_mask(const struct lq_detections *detections, const struct part *part,
                      uint32_t query, float *grid)
{
    const struct lq_layout *layout = detections->layout;
    size_t plane = (size_t)layout->proto_width * (size_t)layout->proto_height;
    const float *mask = detections->proto + (size_t)query * plane;
    bool logits = detections->rules->values == LQ_VALUES_LOGITS;
    for (size_t i = 0; i < plane && detections->rules->values == LQ_VALUES_AUTO && !logits; i++)
        logits = mask[i] < 0.0f || mask[i] > 1.0f;
    for (int j = 0; j < part->height; j++) {
        size_t at = (size_t)(part->j0 + j) * (size_t)layout->proto_width + (size_t)part->i0;
        for (int i = 0; i < part->width; i++) {
            float value = mask[at + (size_t)i];
            value = value > 0.0f || logits ? value : 0.0f; // NaN becomes 0
            *grid++ = logits ? lq_sigmoid(value) : fminf(value, 1.0f);
        }
    }
}

static void fill_patch(const struct lq_detections *detections, const struct candidate *box,
                       float *grid, struct lq_patch *patch)
{
    const struct lq_geometry *geometry = detections->geometry;
    const struct part part = part_of(detections, box);
    if (detections->layout->rows == LQ_ROWS_QUERIES)
        copy_mask(detections, &part, box->anchor, grid);
    else
        mix_prototypes(detections, &part, box->anchor, grid);
    float x0 = fmaxf((box->x0 - geometry->offset_x) / geometry->scale_x, 0);
    float y0 = fmaxf((box->y0 - geometry->offset_y) / geometry->scale_y, 0);
    float x1 = fminf((box->x1 - geometry->offset_x) / geometry->scale_x,
                     (float)geometry->picture_width);
    float y1 = fminf((box->y1 - geometry->offset_y) / geometry->scale_y,
                     (float)geometry->picture_height);
    float step_x = part.step_x, step_y = part.step_y;
    *patch = (struct lq_patch){
        .confidence = fminf(box->score, 1.0f),
        .single = true,
        .threshold = detections->rules->threshold,
        .width = part.width,
        .height = part.height,
        .stride = part.width,
        .data = grid,
        .x0 = (((float)part.i0 + 0.5f) * step_x - geometry->offset_x) / geometry->scale_x,
        .y0 = (((float)part.j0 + 0.5f) * step_y - geometry->offset_y) / geometry->scale_y,
        .dx = step_x / geometry->scale_x,
        .dy = step_y / geometry->scale_y,
        .box = {x0, y0, x1 - x0, y1 - y0},
    };
}

static void score(struct lq_yolo *yolo, const struct lq_detections *detections)
{
    const struct lq_layout *layout = detections->layout;
    if (layout->rows == LQ_ROWS_QUERIES)
        score_queries(yolo, layout, detections->rules, detections->labels);
    else if (layout->rows == LQ_ROWS_FINAL)
        score_final(yolo, layout, detections->rules, detections->det);
    else
        score_anchors(yolo, layout, detections->rules, detections->det);
}

int lq_yolo_decode(struct lq_yolo *yolo, const struct lq_detections *detections,
                   struct lq_patch *patches)
{
    struct candidate kept[LQ_NAILS_MAX];
    score(yolo, detections);
    int count = choose(yolo, detections, kept);
    for (int i = 0; i < count; i++)
        fill_patch(detections, &kept[i], yolo->grids + (size_t)i * yolo->grid_floats, &patches[i]);
    return count;
}
