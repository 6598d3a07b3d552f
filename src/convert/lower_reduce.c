// Reductions along axes, and a cumulative sum along one.
#include "convert/lower.h"
#include "format/tflite_ops.h"

static bool read_axes(struct lq_lower *low, int tensor, int rank, unsigned *axes)
{
    int64_t list[LQ_RANK_MAX * 2];
    int count = lq_ints_of(low, tensor, list, LQ_RANK_MAX * 2);
    if (!lq_lower_need(low, count >= 0, "its axes must be constants"))
        return false;
    *axes = 0;
    for (int i = 0; i < count; i++) {
        list[i] += list[i] < 0 ? rank : 0;
        if (!lq_lower_need(low, list[i] >= 0 && list[i] < rank, "its axis is invalid"))
            return false;
        *axes |= 1u << list[i];
    }
    return true;
}

static const char *reduction(int builtin)
{
    switch (builtin) {
    case LQ_OP_MEAN:
        return "ReduceMean";
    case LQ_OP_SUM:
        return "ReduceSum";
    case LQ_OP_REDUCE_MIN:
    case LQ_OP_REDUCE_ALL:
        return "ReduceMin";
    case LQ_OP_REDUCE_PROD:
        return "ReduceProd";
    default: // REDUCE_MAX, REDUCE_ANY
        return "ReduceMax";
    }
}

static struct lq_value *cast(struct lq_lower *low, struct lq_value *x, enum lq_onnx_type type)
{
    return lq_graph_add(low->graph, "Cast", LQ_INPUTS(x), LQ_ATTRS(lq_int("to", type)));
}

void lq_lower_reduce(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    unsigned gone;
    int64_t places[LQ_RANK_MAX];
    int count = 0;
    bool keeps = lq_lower_byte(low, 0, 0);
    if (!read_axes(low, lq_lower_input(low, 1), order.rank, &gone))
        return;
    for (int i = 0; i < order.rank; i++)
        if (gone >> order.axis[i] & 1)
            places[count++] = i;
    if (count == 0) {
        lq_set(low, lq_lower_output(low, 0), x, order);
        return;
    }
    bool truth = x->type == LQ_ONNX_BOOL;
    const char *op = reduction(low->op->builtin);
    if (truth)
        x = cast(low, x, LQ_ONNX_I32);
    // In opset 17 only ReduceSum has its axes as an input.
    bool sum = low->op->builtin == LQ_OP_SUM;
    struct lq_value *y = lq_graph_add(
        low->graph, op, sum ? LQ_INPUTS(x, lq_graph_i64s(low->graph, places, count)) : LQ_INPUTS(x),
        LQ_ATTRS(lq_int("keepdims", keeps),
                 sum ? (struct lq_attr){0} : lq_ints("axes", places, count)));
    if (truth)
        y = cast(low, y, LQ_ONNX_BOOL);
    lq_set(low, lq_lower_output(low, 0), y, keeps ? order : lq_layout_without(order, gone));
}

void lq_lower_arg(struct lq_lower *low)
{
    int output = lq_lower_output(low, 0);
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    unsigned gone;
    if (!read_axes(low, lq_lower_input(low, 1), order.rank, &gone) ||
        !lq_lower_need(low, __builtin_popcount(gone) == 1 && output >= 0, "it needs one axis"))
        return;
    int64_t place = lq_layout_place(order, __builtin_ctz(gone));
    struct lq_value *y =
        lq_graph_add(low->graph, low->op->builtin == LQ_OP_ARG_MAX ? "ArgMax" : "ArgMin",
                     LQ_INPUTS(x), LQ_ATTRS(lq_int("axis", place), lq_int("keepdims", 0)));
    if (lq_lower_stored_type(low, output) != LQ_ONNX_I64)
        y = cast(low, y, LQ_ONNX_I32);
    lq_set(low, output, y, lq_layout_without(order, gone));
}

void lq_lower_top_k(struct lq_lower *low)
{
    int64_t k;
    int which = lq_lower_output(low, 1);
    struct lq_value *x = lq_get_plain(low, lq_lower_input(low, 0)), *made[2];
    if (!lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 1), &k, 1) == 1 && which >= 0,
                       "its number of results must be a constant"))
        return;
    lq_graph_add_many(low->graph, "TopK", LQ_INPUTS(x, lq_graph_i64s(low->graph, &k, 1)),
                      LQ_ATTRS(lq_int("axis", -1)), made, 2);
    lq_set_plain(low, lq_lower_output(low, 0), made[0]);
    if (low->graph->status == LQ_OK && lq_lower_stored_type(low, which) != LQ_ONNX_I64)
        made[1] = cast(low, made[1], LQ_ONNX_I32);
    lq_set_plain(low, which, made[1]);
}

void lq_lower_cumsum(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    unsigned axes;
    if (!read_axes(low, lq_lower_input(low, 1), order.rank, &axes) ||
        !lq_lower_need(low, __builtin_popcount(axes) == 1, "it needs one axis"))
        return;
    int64_t place = lq_layout_place(order, __builtin_ctz(axes));
    struct lq_value *axis = lq_graph_i64s(low->graph, &place, 1);
    axis = lq_reshaped(low, axis, (int64_t[]){0}, 0);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "CumSum", LQ_INPUTS(x, axis),
                        LQ_ATTRS(lq_int("exclusive", lq_lower_byte(low, 0, 0)),
                                 lq_int("reverse", lq_lower_byte(low, 1, 0)))),
           order);
}
