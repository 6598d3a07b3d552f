// Operators with indices: GATHER and similar ones, ONE_HOT, SCATTER_ND, WHERE, diagonals,
// REVERSE_SEQUENCE and NON_MAX_SUPPRESSION.
#include "convert/lower.h"
#include "format/tflite_ops.h"

static struct lq_value *cast(struct lq_lower *low, struct lq_value *x, enum lq_onnx_type type)
{
    if (low->graph->status != LQ_OK || x->type == type)
        return x;
    return lq_graph_add(low->graph, "Cast", LQ_INPUTS(x), LQ_ATTRS(lq_int("to", type)));
}

// ---- GATHER, GATHER_ND, EMBEDDING_LOOKUP

static void gather(struct lq_lower *low, int input, int which, int axis)
{
    int rank = lq_lower_rank(low, input), depth = lq_lower_rank(low, which);
    if (!lq_lower_need(low, axis >= 0 && axis < rank && rank - 1 + depth <= LQ_RANK_MAX,
                       "its axis is invalid"))
        return;
    struct lq_axes order, made = {0};
    struct lq_value *value = lq_get_any(low, input, &order);
    struct lq_value *index = lq_get_plain(low, which);
    int place = lq_layout_place(order, axis);
    for (int i = 0; i < rank; i++) {
        int old = order.axis[i];
        for (int k = 0; i == place && k < depth; k++)
            made.axis[made.rank++] = (uint8_t)(axis + k);
        if (i != place)
            made.axis[made.rank++] = (uint8_t)(old > axis ? old + depth - 1 : old);
    }
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "Gather", LQ_INPUTS(value, index),
                        LQ_ATTRS(lq_int("axis", place))),
           made);
}

// Gathers within each batch element with its own indices: one index for every element of the first
// axes.
static void gather_in_batch(struct lq_lower *low, int input, int which, int batch)
{
    struct lq_value *x = lq_get_plain(low, input), *index = lq_get_plain(low, which);
    int64_t last = lq_lower_rank(low, which);
    index = cast(low, index, LQ_ONNX_I64);
    index = lq_graph_add(low->graph, "Unsqueeze",
                         LQ_INPUTS(index, lq_graph_i64s(low->graph, &last, 1)), LQ_NO_ATTRS);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "GatherND", LQ_INPUTS(x, index),
                              LQ_ATTRS(lq_int("batch_dims", batch))));
}

void lq_lower_gather(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), which = lq_lower_input(low, 1);
    int axis = lq_lower_option(low, 0, 0), batch = lq_lower_option(low, 1, 0);
    axis += axis < 0 ? lq_lower_rank(low, input) : 0;
    batch += batch < 0 ? lq_lower_rank(low, which) : 0;
    if (batch == 0)
        gather(low, input, which, axis);
    else if (lq_lower_need(low, batch == axis && batch <= lq_lower_rank(low, which) &&
                                    lq_lower_rank(low, which) < LQ_RANK_MAX,
                           "a GATHER with batch dimensions along an axis that is not the first "
                           "after them is not supported"))
        gather_in_batch(low, input, which, batch);
}

void lq_lower_embedding_lookup(struct lq_lower *low)
{
    gather(low, lq_lower_input(low, 1), lq_lower_input(low, 0), 0);
}

void lq_lower_gather_nd(struct lq_lower *low)
{
    struct lq_value *value = lq_get_plain(low, lq_lower_input(low, 0));
    struct lq_value *index = cast(low, lq_get_plain(low, lq_lower_input(low, 1)), LQ_ONNX_I64);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "GatherND", LQ_INPUTS(value, index), LQ_NO_ATTRS));
}

// ---- ONE_HOT, SCATTER_ND, WHERE

// 0, 1, 2, … with shape [count] followed by `behind` ones, so that it is broadcast along axis
// -behind - 1.
static struct lq_value *counted(struct lq_lower *low, enum lq_onnx_type type, int64_t count,
                                int behind)
{
    struct lq_shape shape = {.rank = 1 + behind, .dims = {count}};
    for (int i = 1; i <= behind; i++)
        shape.dims[i] = 1;
    int64_t *wide = lq_graph_take(low->graph, (size_t)count * sizeof *wide);
    int32_t *narrow = (int32_t *)wide;
    for (int64_t i = 0; wide && i < count; i++)
        if (type == LQ_ONNX_I64)
            wide[i] = i;
        else
            narrow[i] = (int32_t)i;
    return wide ? lq_graph_constant(low->graph, type, &shape, wide) : &low->graph->nothing;
}

// Not with ONNX's OneHot, which counts -1 from the end and which not every engine has.
void lq_lower_one_hot(struct lq_lower *low)
{
    int which = lq_lower_input(low, 0), rank = lq_lower_rank(low, which);
    int64_t depth, axis = lq_lower_option(low, 0, 0);
    axis += axis < 0 ? rank + 1 : 0;
    if (!lq_lower_need(low, axis >= 0 && axis <= rank && rank < LQ_RANK_MAX,
                       "its axis is invalid") ||
        !lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 1), &depth, 1) == 1 && depth > 0 &&
                                depth < (1 << 24),
                       "its depth must be a constant"))
        return;
    struct lq_value *index = lq_get_plain(low, which);
    struct lq_value *on = lq_get_plain(low, lq_lower_input(low, 2));
    struct lq_value *off = lq_get_plain(low, lq_lower_input(low, 3));
    if (low->graph->status != LQ_OK)
        return;
    if (index->type != LQ_ONNX_I32)
        index = cast(low, index, LQ_ONNX_I64);
    index = lq_graph_add(low->graph, "Unsqueeze",
                         LQ_INPUTS(index, lq_graph_i64s(low->graph, &axis, 1)), LQ_NO_ATTRS);
    struct lq_value *places = counted(low, index->type, depth, rank - (int)axis);
    struct lq_value *hit = lq_graph_add(low->graph, "Equal", LQ_INPUTS(index, places), LQ_NO_ATTRS);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "Where", LQ_INPUTS(hit, on, off), LQ_NO_ATTRS));
}

void lq_lower_scatter_nd(struct lq_lower *low)
{
    int64_t dims[LQ_RANK_MAX];
    int rank = lq_ints_of(low, lq_lower_input(low, 2), dims, LQ_RANK_MAX);
    if (!lq_lower_need(low, rank > 0, "its shape must be a constant"))
        return;
    struct lq_value *index = cast(low, lq_get_plain(low, lq_lower_input(low, 0)), LQ_ONNX_I64);
    struct lq_value *updates = lq_get_plain(low, lq_lower_input(low, 1));
    struct lq_value *zero = cast(low, lq_graph_f32(low->graph, 0), updates->type);
    struct lq_value *blank =
        lq_graph_add(low->graph, "Expand",
                     LQ_INPUTS(zero, lq_graph_i64s(low->graph, dims, rank)), LQ_NO_ATTRS);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "ScatterND", LQ_INPUTS(blank, index, updates),
                              LQ_ATTRS(lq_text("reduction", "add"))));
}

void lq_lower_where(struct lq_lower *low)
{
    struct lq_value *x = lq_get_plain(low, lq_lower_input(low, 0));
    struct lq_value *found = lq_graph_add(low->graph, "NonZero", LQ_INPUTS(x), LQ_NO_ATTRS);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "Transpose", LQ_INPUTS(found),
                              LQ_ATTRS(lq_ints("perm", (int64_t[]){1, 0}, 2))));
}

// ---- MATRIX_DIAG, MATRIX_SET_DIAG, REVERSE_SEQUENCE

// A mask [rows, columns] that is true where row and column are equal.
static struct lq_value *diagonal(struct lq_lower *low, int64_t rows, int64_t columns)
{
    uint8_t *made = lq_graph_take(low->graph, (size_t)(rows * columns) + 1);
    for (int64_t i = 0; made && i < rows && i < columns; i++)
        made[i * columns + i] = 1;
    struct lq_shape shape = {2, {rows, columns}};
    return made ? lq_graph_constant(low->graph, LQ_ONNX_BOOL, &shape, made) : &low->graph->nothing;
}

// MATRIX_DIAG sets the diagonal of a matrix of zeros, MATRIX_SET_DIAG that of its first input.
void lq_lower_matrix_diag(struct lq_lower *low)
{
    bool sets = low->op->builtin == LQ_OP_MATRIX_SET_DIAG;
    int list = lq_lower_input(low, sets), rank = lq_lower_rank(low, list);
    if (!lq_lower_need(low, list >= 0 && low->slots[list].made && rank > 0 && rank < LQ_RANK_MAX,
                       "its diagonal is missing"))
        return;
    int64_t length = low->slots[list].shape.dims[rank - 1], rows = length, columns = length;
    struct lq_value *x = lq_get_plain(low, list), *under;
    if (sets) {
        under = lq_get_plain(low, lq_lower_input(low, 0));
        if (low->graph->status != LQ_OK ||
            !lq_lower_need(low, under->shape.rank == rank + 1, "its diagonal does not fit"))
            return;
        rows = under->shape.dims[rank - 1];
        columns = under->shape.dims[rank];
    } else {
        under = cast(low, lq_graph_f32(low->graph, 0), x->type);
    }
    if (!lq_lower_need(low, length > 0 && rows > 0 && columns > 0 && rows * columns <= 1 << 24 &&
                                length == (rows < columns ? rows : columns),
                       "its sizes must be known, small and fit"))
        return;
    int64_t place = rank - 1;
    if (columns > length) { // values outside the diagonal do not matter
        int64_t *which = lq_graph_take(low->graph, (size_t)columns * sizeof *which);
        for (int64_t i = 0; which && i < columns; i++)
            which[i] = i < length ? i : 0;
        struct lq_shape shape = {1, {columns}};
        x = lq_graph_add(low->graph, "Gather",
                         LQ_INPUTS(x, lq_graph_constant(low->graph, LQ_ONNX_I64, &shape, which)),
                         LQ_ATTRS(lq_int("axis", place)));
    }
    x = lq_graph_add(low->graph, "Unsqueeze",
                     LQ_INPUTS(x, lq_graph_i64s(low->graph, &place, 1)), LQ_NO_ATTRS);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "Where",
                              LQ_INPUTS(diagonal(low, rows, columns), x, under), LQ_NO_ATTRS));
}

// ONNX requires the two axes concerned to come first.
void lq_lower_reverse_sequence(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    int sequence = lq_lower_option(low, 0, 0), batch = lq_lower_option(low, 1, 0);
    if (!lq_lower_need(low, sequence >= 0 && sequence < rank && batch >= 0 && batch < rank &&
                                sequence != batch,
                       "its axes are invalid"))
        return;
    struct lq_axes order = {rank, {(uint8_t)sequence, (uint8_t)batch}};
    for (int i = 0, to = 2; i < rank; i++)
        if (i != sequence && i != batch)
            order.axis[to++] = (uint8_t)i;
    struct lq_value *lengths = cast(low, lq_get_plain(low, lq_lower_input(low, 1)), LQ_ONNX_I64);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "ReverseSequence",
                        LQ_INPUTS(lq_get(low, input, order), lengths),
                        LQ_ATTRS(lq_int("time_axis", 0), lq_int("batch_axis", 1))),
           order);
}

// ---- NON_MAX_SUPPRESSION_V4 and _V5

enum { BOXES, SCORES, COUNT_MAX, OVERLAP_MAX, SCORE_LEAST, SOFTNESS };

// Indices of the boxes that are kept: int64, [?].
static struct lq_value *kept_boxes(struct lq_lower *low, struct lq_value *scores, int64_t most)
{
    struct lq_graph *graph = low->graph;
    struct lq_value *boxes = lq_get_plain(low, lq_lower_input(low, BOXES));
    struct lq_value *overlap = lq_get_plain(low, lq_lower_input(low, OVERLAP_MAX));
    struct lq_value *least = lq_get_plain(low, lq_lower_input(low, SCORE_LEAST));
    struct lq_value *first = lq_graph_i64s(graph, (int64_t[]){0}, 1);
    struct lq_value *both = lq_graph_i64s(graph, (int64_t[]){0, 1}, 2);
    boxes = lq_graph_add(graph, "Unsqueeze", LQ_INPUTS(boxes, first), LQ_NO_ATTRS);
    scores = lq_graph_add(graph, "Unsqueeze", LQ_INPUTS(scores, both), LQ_NO_ATTRS);
    struct lq_value *triples = lq_graph_add(
        graph, "NonMaxSuppression",
        LQ_INPUTS(boxes, scores, lq_graph_i64s(graph, &most, 1),
                  lq_reshaped(low, overlap, (int64_t[]){1}, 1),
                  lq_reshaped(low, least, (int64_t[]){1}, 1)),
        LQ_NO_ATTRS);
    // Selects box from (batch, class, box).
    struct lq_value *third = lq_reshaped(low, lq_graph_i64s(graph, (int64_t[]){2}, 1),
                                         (int64_t[]){0}, 0);
    return lq_graph_add(graph, "Gather", LQ_INPUTS(triples, third), LQ_ATTRS(lq_int("axis", 1)));
}

// Fills a list with zeros up to the maximum length: TFLite's lists always have that length, with a
// separate count.
static struct lq_value *filled_up(struct lq_lower *low, struct lq_value *kept, int64_t most)
{
    struct lq_graph *graph = low->graph;
    struct lq_value *zero = lq_reshaped(low, lq_graph_i64s(graph, (int64_t[]){0}, 1),
                                        (int64_t[]){0}, 0);
    struct lq_value *zeros = lq_graph_add(
        graph, "Expand", LQ_INPUTS(zero, lq_graph_i64s(graph, &most, 1)), LQ_NO_ATTRS);
    struct lq_value *list = lq_graph_add(graph, "Concat", LQ_INPUTS(kept, zeros),
                                         LQ_ATTRS(lq_int("axis", 0)));
    struct lq_value *start = lq_graph_i64s(graph, (int64_t[]){0}, 1);
    list = lq_graph_add(graph, "Slice",
                        LQ_INPUTS(list, start, lq_graph_i64s(graph, &most, 1), start), LQ_NO_ATTRS);
    return lq_reshaped(low, list, &most, 1);
}

static struct lq_value *filled_scores(struct lq_lower *low, struct lq_value *scores,
                                      struct lq_value *list, struct lq_value *count, int64_t most)
{
    struct lq_graph *graph = low->graph;
    struct lq_value *there = lq_graph_add(
        graph, "Less", LQ_INPUTS(counted(low, LQ_ONNX_I64, most, 0), count), LQ_NO_ATTRS);
    scores = lq_graph_add(graph, "Gather", LQ_INPUTS(scores, list), LQ_ATTRS(lq_int("axis", 0)));
    return lq_graph_add(graph, "Where", LQ_INPUTS(there, scores, lq_graph_f32(graph, 0)),
                        LQ_NO_ATTRS);
}

void lq_lower_non_max_suppression(struct lq_lower *low)
{
    bool scored = low->op->builtin == LQ_OP_NON_MAX_SUPPRESSION_V5;
    int64_t most;
    double softness = 0;
    if (!lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, COUNT_MAX), &most, 1) == 1 &&
                                most > 0 && most < (1 << 20),
                       "its number of boxes must be a constant") ||
        !lq_lower_need(low, !scored || (lq_constant_number(low, lq_lower_input(low, SOFTNESS),
                                                           &softness) && softness == 0),
                       "soft suppression is not supported"))
        return;
    struct lq_value *scores = lq_get_plain(low, lq_lower_input(low, SCORES));
    struct lq_value *kept = kept_boxes(low, scores, most);
    struct lq_value *count = lq_graph_add(low->graph, "Shape", LQ_INPUTS(kept), LQ_NO_ATTRS);
    struct lq_value *list = filled_up(low, kept, most);
    lq_set_plain(low, lq_lower_output(low, 0), cast(low, list, LQ_ONNX_I32));
    if (scored)
        lq_set_plain(low, lq_lower_output(low, 1), filled_scores(low, scores, list, count, most));
    count = lq_reshaped(low, cast(low, count, LQ_ONNX_I32), (int64_t[]){0}, 0);
    lq_set_plain(low, lq_lower_output(low, scored ? 2 : 1), count);
}
