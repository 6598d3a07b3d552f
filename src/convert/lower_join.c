// Operators that join or repeat tensors: CONCATENATION, PACK, TILE, BROADCAST_TO, FILL.
#include "convert/lower.h"

// Gets all inputs in one order. The array ends with NULL; NULL on failure.
static struct lq_value **get_all(struct lq_lower *low, struct lq_axes *order)
{
    int count = low->op->inputs.count;
    int *tensors = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *tensors);
    struct lq_value **values = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *values);
    if (!tensors || !values || !lq_lower_need(low, count > 0, "it has no inputs"))
        return NULL;
    for (int i = 0; i < count; i++)
        tensors[i] = lq_lower_input(low, i);
    *order = lq_layout_common(low, tensors, count);
    for (int i = 0; i < count; i++)
        values[i] = lq_get(low, tensors[i], *order);
    return low->graph->status == LQ_OK ? values : NULL;
}

void lq_lower_concat(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value **values = get_all(low, &order);
    int axis = lq_lower_option(low, 0, 0), output = lq_lower_output(low, 0);
    if (!values)
        return;
    axis += axis < 0 ? order.rank : 0;
    if (!lq_lower_need(low, axis >= 0 && axis < order.rank, "its axis is invalid"))
        return;
    struct lq_value *y = lq_graph_add(low->graph, "Concat", values,
                                      LQ_ATTRS(lq_int("axis", lq_layout_place(order, axis))));
    int activation = lq_lower_byte(low, 1, 0);
    if (output >= 0 && !lq_clip_is_free(low, output, activation))
        y = lq_activate(low, y, activation);
    lq_set(low, output, y, order);
}

void lq_lower_pack(struct lq_lower *low)
{
    struct lq_axes order, made = {0};
    struct lq_value **values = get_all(low, &order);
    int axis = lq_lower_option(low, 1, 0);
    if (!values)
        return;
    axis += axis < 0 ? order.rank + 1 : 0;
    if (!lq_lower_need(low, axis >= 0 && axis <= order.rank, "its axis is invalid"))
        return;
    for (int i = 0; values[i]; i++) {
        made = order;
        values[i] = lq_insert_axis(low, values[i], axis, &made);
    }
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "Concat", values,
                        LQ_ATTRS(lq_int("axis", lq_layout_place(made, axis)))),
           made);
}

void lq_lower_tile(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    int64_t times[LQ_RANK_MAX], stored[LQ_RANK_MAX];
    if (!lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 1), times, LQ_RANK_MAX) == rank,
                       "its repeats must be constants"))
        return;
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, input, &order);
    lq_layout_ints(order, times, stored);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "Tile", LQ_INPUTS(x, lq_graph_i64s(low->graph, stored, rank)),
                        LQ_NO_ATTRS),
           order);
}

// Gets a shape that is an input: as constants, or computed at run time.
static struct lq_value *shape_input(struct lq_lower *low, int tensor)
{
    int64_t dims[LQ_RANK_MAX];
    int count = lq_ints_of(low, tensor, dims, LQ_RANK_MAX);
    if (count >= 0)
        return lq_graph_i64s(low->graph, dims, count);
    struct lq_value *sizes = lq_get_plain(low, tensor);
    if (low->graph->status != LQ_OK || sizes->type == LQ_ONNX_I64)
        return sizes;
    return lq_graph_add(low->graph, "Cast", LQ_INPUTS(sizes), LQ_ATTRS(lq_int("to", LQ_ONNX_I64)));
}

static void expand(struct lq_lower *low, int what, int shape)
{
    struct lq_value *x = lq_get_plain(low, what), *sizes = shape_input(low, shape);
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "Expand", LQ_INPUTS(x, sizes), LQ_NO_ATTRS));
}

void lq_lower_broadcast_to(struct lq_lower *low)
{
    expand(low, lq_lower_input(low, 0), lq_lower_input(low, 1));
}

void lq_lower_fill(struct lq_lower *low)
{
    expand(low, lq_lower_input(low, 1), lq_lower_input(low, 0));
}
