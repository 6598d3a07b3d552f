// TFLite_Detection_PostProcess, the custom operator at the end of SSD detectors: decodes boxes
// against their anchors, applies non-maximum suppression, and returns the best as four lists of
// fixed length: boxes, classes, scores, and their number. Unused entries are zero.
#include <math.h>

#include "format/flexbuffer.h"
#include "convert/lower.h"

struct detection {
    int64_t boxes, classes, background; // counts; background: scores before the first class's
    int64_t most, most_of_class;
    float overlap_max, score_least;
    float scales[4]; // y, x, h, w
    bool per_class;
};

static double option(const struct lq_lower *low, const char *key, double otherwise)
{
    double value = otherwise;
    lq_flex_number(low->op->custom_options, low->op->custom_bytes, key, &value);
    return value;
}

static bool read(struct lq_lower *low, struct detection *to)
{
    int boxes = lq_lower_input(low, 0), scores = lq_lower_input(low, 1);
    int anchors = lq_lower_input(low, 2);
    double classes = option(low, "num_classes", -1), most = option(low, "max_detections", -1);
    double each = option(low, "detections_per_class", 100);
    bool fine = boxes >= 0 && scores >= 0 && anchors >= 0 && low->slots[boxes].made &&
                low->slots[scores].made && low->slots[anchors].made &&
                lq_lower_rank(low, boxes) == 3 && lq_lower_rank(low, scores) == 3 &&
                lq_lower_rank(low, anchors) == 2 && low->op->outputs.count == 4;
    if (!lq_lower_need(low, fine && classes >= 1 && classes < 65536 && most >= 1 && most < 65536 &&
                                each >= 1 && each < 65536,
                       "its inputs or options are invalid"))
        return false;
    const int64_t *b = low->slots[boxes].shape.dims, *s = low->slots[scores].shape.dims;
    *to = (struct detection){
        .boxes = b[1], .classes = (int64_t)classes, .background = s[2] - (int64_t)classes,
        .most = (int64_t)most, .most_of_class = (int64_t)each,
        .overlap_max = (float)option(low, "nms_iou_threshold", 0.5),
        // TFLite keeps a score equal to the minimum; ONNX does not.
        .score_least = nextafterf((float)option(low, "nms_score_threshold", 0), -INFINITY),
        .scales = {(float)option(low, "y_scale", 1), (float)option(low, "x_scale", 1),
                   (float)option(low, "h_scale", 1), (float)option(low, "w_scale", 1)},
        .per_class = option(low, "use_regular_nms", 0) != 0,
    };
    return lq_lower_need(low, b[0] == 1 && s[0] == 1 && b[1] > 0 && b[2] == 4 && s[1] == b[1] &&
                                  low->slots[anchors].shape.dims[0] == b[1] &&
                                  low->slots[anchors].shape.dims[1] == 4 && to->background >= 0,
                         "its boxes, scores and anchors do not fit each other") &&
           lq_lower_need(low, to->per_class || option(low, "max_classes_per_detection", 1) == 1,
                         "several classes for one box are not supported");
}

static struct lq_value *two(struct lq_lower *low, const char *op, struct lq_value *a,
                            struct lq_value *b)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(a, b), LQ_NO_ATTRS);
}

static struct lq_value *reshape(struct lq_lower *low, struct lq_value *x, int64_t a, int64_t b)
{
    return lq_reshaped(low, x, (int64_t[]){a, b}, b == 0 ? 1 : 2);
}

// [from, to) of an axis.
static struct lq_value *part(struct lq_lower *low, struct lq_value *x, int64_t axis, int64_t from,
                             int64_t to)
{
    struct lq_graph *graph = low->graph;
    return lq_graph_add(graph, "Slice",
                        LQ_INPUTS(x, lq_graph_i64s(graph, &from, 1), lq_graph_i64s(graph, &to, 1),
                                  lq_graph_i64s(graph, &axis, 1),
                                  lq_graph_i64s(graph, (int64_t[]){1}, 1)),
                        LQ_NO_ATTRS);
}

static struct lq_value *pair(struct lq_lower *low, float a, float b)
{
    float *numbers = lq_graph_take(low->graph, 2 * sizeof *numbers);
    if (!numbers)
        return &low->graph->nothing;
    numbers[0] = a;
    numbers[1] = b;
    return lq_graph_f32s(low->graph, numbers, &(struct lq_shape){2, {1, 2}});
}

// [boxes, 4] of top, left, bottom, right.
static struct lq_value *decoded(struct lq_lower *low, const struct detection *about)
{
    struct lq_value *code = lq_get_plain(low, lq_lower_input(low, 0));
    code = reshape(low, code, about->boxes, 4);
    struct lq_value *anchors = lq_get_plain(low, lq_lower_input(low, 2));
    struct lq_value *sizes = part(low, anchors, 1, 2, 4);
    struct lq_value *centre = two(low, "Div", part(low, code, 1, 0, 2),
                                  pair(low, about->scales[0], about->scales[1]));
    centre = two(low, "Add", two(low, "Mul", centre, sizes), part(low, anchors, 1, 0, 2));
    struct lq_value *half = two(low, "Div", part(low, code, 1, 2, 4),
                                pair(low, about->scales[2], about->scales[3]));
    half = lq_graph_add(low->graph, "Exp", LQ_INPUTS(half), LQ_NO_ATTRS);
    half = two(low, "Mul", two(low, "Mul", half, sizes), lq_graph_f32(low->graph, 0.5f));
    return lq_graph_add(low->graph, "Concat",
                        LQ_INPUTS(two(low, "Sub", centre, half), two(low, "Add", centre, half)),
                        LQ_ATTRS(lq_int("axis", 1)));
}

static struct lq_value *zeros(struct lq_lower *low, enum lq_onnx_type type, int64_t rows,
                              int64_t columns)
{
    struct lq_shape shape = {columns ? 2 : 1, {rows, columns}};
    void *data = lq_graph_take(low->graph, (size_t)(rows * (columns ? columns : 1)) * 8);
    return data ? lq_graph_constant(low->graph, type, &shape, data) : &low->graph->nothing;
}

// The detections left by suppression: indices of boxes and classes, and the scores.
struct left {
    struct lq_value *boxes, *classes, *scores;
};

static struct left suppressed(struct lq_lower *low, const struct detection *about,
                              struct lq_value *boxes)
{
    struct lq_graph *graph = low->graph;
    struct lq_value *scores = lq_get_plain(low, lq_lower_input(low, 1)); // [1, boxes, classes]
    struct lq_value *best = NULL;
    int64_t each = about->per_class ? about->most_of_class : about->most;
    scores = part(low, scores, 2, about->background, about->background + about->classes);
    if (about->per_class) {
        scores = lq_graph_add(graph, "Transpose", LQ_INPUTS(scores),
                              LQ_ATTRS(lq_ints("perm", (int64_t[]){0, 2, 1}, 3)));
    } else { // each box only for its best class
        best = lq_graph_add(graph, "ArgMax", LQ_INPUTS(scores),
                            LQ_ATTRS(lq_int("axis", 2), lq_int("keepdims", 0)));
        best = reshape(low, best, about->boxes, 0);
        scores = lq_graph_add(graph, "ReduceMax", LQ_INPUTS(scores),
                              LQ_ATTRS(lq_ints("axes", (int64_t[]){2}, 1), lq_int("keepdims", 0)));
        scores = two(low, "Unsqueeze", scores, lq_graph_i64s(graph, (int64_t[]){1}, 1));
    }
    boxes = two(low, "Unsqueeze", boxes, lq_graph_i64s(graph, (int64_t[]){0}, 1));
    struct lq_value *triples = lq_graph_add(
        graph, "NonMaxSuppression",
        LQ_INPUTS(boxes, scores, lq_graph_i64s(graph, &each, 1),
                  lq_reshaped(low, lq_graph_f32(graph, about->overlap_max), (int64_t[]){1}, 1),
                  lq_reshaped(low, lq_graph_f32(graph, about->score_least), (int64_t[]){1}, 1)),
        LQ_NO_ATTRS);
    struct left left;
    left.boxes = reshape(low, part(low, triples, 1, 2, 3), -1, 0);
    left.classes = best ? lq_graph_add(graph, "Gather", LQ_INPUTS(best, left.boxes),
                                       LQ_ATTRS(lq_int("axis", 0)))
                        : reshape(low, part(low, triples, 1, 1, 2), -1, 0);
    struct lq_value *place = lq_graph_add(
        graph, "Concat", LQ_INPUTS(part(low, triples, 1, 0, 2), part(low, triples, 1, 2, 3)),
        LQ_ATTRS(lq_int("axis", 1)));
    left.scores = two(low, "GatherND", scores, place);
    return left;
}

static struct lq_value *picked(struct lq_lower *low, struct lq_value *list, struct lq_value *filler,
                               struct lq_value *which)
{
    list = lq_graph_add(low->graph, "Concat", LQ_INPUTS(list, filler), LQ_ATTRS(lq_int("axis", 0)));
    return lq_graph_add(low->graph, "Gather", LQ_INPUTS(list, which), LQ_ATTRS(lq_int("axis", 0)));
}

static void set_output(struct lq_lower *low, int output, struct lq_value *value,
                       const int64_t *dims, int rank)
{
    if (low->graph->status == LQ_OK && value->type != LQ_ONNX_F32)
        value = lq_graph_add(low->graph, "Cast", LQ_INPUTS(value),
                             LQ_ATTRS(lq_int("to", LQ_ONNX_F32)));
    lq_set_plain(low, lq_lower_output(low, output), lq_reshaped(low, value, dims, rank));
}

void lq_lower_detection(struct lq_lower *low)
{
    struct detection about;
    if (!read(low, &about))
        return;
    struct lq_graph *graph = low->graph;
    struct lq_value *boxes = decoded(low, &about);
    struct left left = suppressed(low, &about, boxes);
    // Selects the best; fillers, whose score is lower than any, come last.
    struct lq_value *filler = two(low, "Sub", zeros(low, LQ_ONNX_F32, about.most, 0),
                                  lq_graph_f32(graph, INFINITY));
    struct lq_value *top[2], *blank = zeros(low, LQ_ONNX_I64, about.most, 0);
    struct lq_value *scores = lq_graph_add(graph, "Concat", LQ_INPUTS(left.scores, filler),
                                           LQ_ATTRS(lq_int("axis", 0)));
    lq_graph_add_many(graph, "TopK", LQ_INPUTS(scores, lq_graph_i64s(graph, &about.most, 1)),
                      LQ_ATTRS(lq_int("axis", 0)), top, 2);
    if (graph->status != LQ_OK)
        return;
    struct lq_value *there = two(low, "Greater", top[0], lq_graph_f32(graph, -INFINITY));
    struct lq_value *rows = lq_graph_add(graph, "Gather", LQ_INPUTS(boxes, left.boxes),
                                         LQ_ATTRS(lq_int("axis", 0)));
    rows = picked(low, rows, zeros(low, LQ_ONNX_F32, about.most, 4), top[1]);
    struct lq_value *classes = picked(low, left.classes, blank, top[1]);
    struct lq_value *zero = lq_graph_f32(graph, 0);
    scores = lq_graph_add(graph, "Where", LQ_INPUTS(there, top[0], zero), LQ_NO_ATTRS);
    struct lq_value *count = lq_graph_add(graph, "Cast", LQ_INPUTS(there),
                                          LQ_ATTRS(lq_int("to", LQ_ONNX_F32)));
    count = lq_graph_add(graph, "ReduceSum",
                         LQ_INPUTS(count, lq_graph_i64s(graph, (int64_t[]){0}, 1)),
                         LQ_ATTRS(lq_int("keepdims", 1)));
    set_output(low, 0, rows, (int64_t[]){1, about.most, 4}, 3);
    set_output(low, 1, classes, (int64_t[]){1, about.most}, 2);
    set_output(low, 2, scores, (int64_t[]){1, about.most}, 2);
    set_output(low, 3, count, (int64_t[]){1}, 1);
}
