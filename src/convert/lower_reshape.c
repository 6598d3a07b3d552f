// RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE and SHAPE, which only relabel numbers. A reshape that
// joins or splits adjacent axes works in the stored order; only one that mixes axes which are not
// adjacent in the stored order needs a Transpose first.
#include "convert/lower.h"
#include "format/tflite_ops.h"

// Groups of axes of the old and the new shape that contain the same numbers.
struct groups {
    int count;
    int of_in[LQ_RANK_MAX], of_out[LQ_RANK_MAX];
};

static bool group_axes(const struct lq_shape *in, const struct lq_shape *out, struct groups *groups)
{
    int i = 0, o = 0;
    groups->count = 0;
    while (i < in->rank && o < out->rank) {
        int64_t have = in->dims[i], want = out->dims[o];
        if ((have < 0) != (want < 0)) { // an open size forms its own group; ones may be in between
            if (have == 1)
                groups->of_in[i++] = groups->count;
            else if (want == 1)
                groups->of_out[o++] = groups->count;
            else
                return false;
            continue;
        }
        groups->of_in[i++] = groups->of_out[o++] = groups->count;
        if (have < 0 && have != want)
            return false;
        while (have >= 0 && have != want) {
            bool more_in = have < want;
            if (more_in ? i == in->rank || in->dims[i] < 0 : o == out->rank || out->dims[o] < 0)
                return false;
            if (more_in ? __builtin_mul_overflow(have, in->dims[i], &have)
                        : __builtin_mul_overflow(want, out->dims[o], &want))
                return false;
            if (more_in)
                groups->of_in[i++] = groups->count;
            else
                groups->of_out[o++] = groups->count;
        }
        groups->count++;
    }
    // Only sizes of one can remain; they belong to the last group.
    int last = groups->count > 0 ? groups->count - 1 : 0;
    groups->count = last + 1;
    for (; i < in->rank; i++) {
        if (in->dims[i] != 1)
            return false;
        groups->of_in[i] = last;
    }
    for (; o < out->rank; o++) {
        if (out->dims[o] != 1)
            return false;
        groups->of_out[o] = last;
    }
    return true;
}

// The order of the new axes if a value of this order is reshaped as it is stored; false if a
// group's axes are scattered.
static bool order_after(const struct groups *groups, const struct lq_shape *in, int out_rank,
                        struct lq_axes order, struct lq_axes *after)
{
    int place[LQ_RANK_MAX * 2], now = -1, highest = -1;
    bool closed[LQ_RANK_MAX * 2] = {false};
    for (int g = 0; g < groups->count; g++)
        place[g] = -1;
    for (int i = 0; i < order.rank; i++) {
        int axis = order.axis[i], g = groups->of_in[axis];
        if (in->dims[axis] == 1)
            continue;
        if (g != now) {
            if (closed[g])
                return false;
            closed[g] = true;
            now = g;
            highest = -1;
            place[g] = i;
        }
        if (axis < highest)
            return false;
        highest = axis;
    }
    for (int i = 0; i < order.rank; i++) // groups of ones only
        if (place[groups->of_in[order.axis[i]]] < 0)
            place[groups->of_in[order.axis[i]]] = i;
    *after = (struct lq_axes){0};
    for (int i = 0; i < order.rank; i++)
        for (int o = 0; o < out_rank; o++)
            if (place[groups->of_out[o]] == i)
                after->axis[after->rank++] = (uint8_t)o;
    return after->rank == out_rank;
}

// The shape in the form of ONNX's Reshape: 0 copies the batch, and one -1 stands for the rest.
static bool reshape_dims(const struct lq_value *from, const struct lq_shape *to, int64_t *dims)
{
    int holes = 0;
    for (int i = 0; i < to->rank; i++) {
        dims[i] = to->dims[i];
        if (dims[i] >= 0)
            continue;
        bool copied = dims[i] == LQ_DIM_BATCH && i < from->shape.rank &&
                      from->shape.dims[i] == LQ_DIM_BATCH;
        dims[i] = copied ? 0 : -1;
        holes += !copied;
    }
    return holes <= 1;
}

// Finds an order whose reshaped value is a picture with its channels first. Shuffled channels, or
// windows that become a picture again, are then transposed once and not a second time for the next
// convolution.
static bool picture_order(const struct groups *groups, const struct lq_shape *in, int out_rank,
                          struct lq_axes *order, struct lq_axes *after)
{
    if (out_rank != 4)
        return false;
    struct lq_axes want = lq_layout_channels_first(4), made = {0};
    unsigned seen = 0;
    for (int i = 0; i < 4; i++)
        for (int axis = 0; axis < in->rank; axis++) {
            if (groups->of_in[axis] != groups->of_out[want.axis[i]] || seen >> axis & 1)
                continue;
            seen |= 1u << axis;
            made.axis[made.rank++] = (uint8_t)axis;
        }
    *order = made;
    return made.rank == in->rank && order_after(groups, in, 4, made, after) &&
           lq_layout_equal(*after, want);
}

static bool wants_picture(const struct lq_lower *low, int tensor)
{
    int user = low->slots[tensor].user;
    int builtin = user < 0 ? -1 : low->model->ops[user].builtin;
    return builtin == LQ_OP_CONV_2D || builtin == LQ_OP_DEPTHWISE_CONV_2D;
}

static void reshape_to(struct lq_lower *low, int input, const struct lq_shape *out)
{
    const struct lq_shape in = lq_lower_shape(low, input);
    struct groups groups;
    struct lq_axes order = lq_layout_common(low, &input, 1), after;
    bool grouped = group_axes(&in, out, &groups);
    if (!grouped || !order_after(&groups, &in, out->rank, order, &after)) {
        bool picture = !lq_layout_is_plain(order) || wants_picture(low, lq_lower_output(low, 0));
        if (!grouped || !picture || !picture_order(&groups, &in, out->rank, &order, &after)) {
            order = lq_layout_plain(in.rank);
            after = lq_layout_plain(out->rank);
        }
    }
    struct lq_value *value = lq_get(low, input, order);
    struct lq_shape stored = {.rank = out->rank};
    int64_t dims[LQ_RANK_MAX];
    lq_layout_ints(after, out->dims, stored.dims);
    if (!lq_lower_need(low, reshape_dims(value, &stored, dims), "too many of its sizes are open"))
        return;
    if (!lq_shape_equal(&stored, &value->shape))
        value = lq_reshaped(low, value, dims, out->rank);
    // Shape inference cannot know that an open size is the batch.
    for (int i = 0; i < value->shape.rank && low->graph->status == LQ_OK; i++)
        if (value->shape.dims[i] == LQ_DIM_OPEN)
            value->shape.dims[i] = stored.dims[i];
    lq_set(low, lq_lower_output(low, 0), value, after);
}

// ---- RESHAPE

// Reads the wanted sizes: from the second input as far as they are known, from the options, or from
// the file's shape of the result. A size to be computed is -1 in the file; here it is LQ_DIM_OPEN,
// or LQ_DIM_BATCH if it came from the shape of a tensor with that batch.
static int wanted_dims(struct lq_lower *low, int64_t dims[LQ_RANK_MAX])
{
    const struct lq_constant_ints *known = lq_constant_ints_of(low, lq_lower_input(low, 1));
    struct lq_flat_list option = lq_tflite_option_ints(low->model, low->op, 0);
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, lq_lower_output(low, 0));
    int count = known ? known->count : option.count > 0 ? option.count : about->rank;
    if (count > LQ_RANK_MAX)
        return -1;
    for (int i = 0; i < count; i++) {
        dims[i] = known ? known->at[i] : option.count > 0 ? lq_flat_int(option, i) : about->dims[i];
        if (known && !known->some[i]) {
            dims[i] = known->at[i] == LQ_DIM_BATCH ? LQ_DIM_BATCH : LQ_DIM_OPEN;
            continue;
        }
        if (dims[i] < -1 || dims[i] > INT32_MAX)
            return -1;
        dims[i] = dims[i] < 0 ? LQ_DIM_OPEN : dims[i];
    }
    return count;
}

// Replaces the size to be computed by a number or by LQ_DIM_BATCH. False if there is more than one
// such size, which is then only known at run time.
static bool settle(const struct lq_shape *in, struct lq_shape *out)
{
    int hole = -1, batches = 0, opens = 0;
    int64_t have = 1, want = 1;
    for (int i = 0; i < in->rank; i++) {
        batches += in->dims[i] == LQ_DIM_BATCH;
        opens += in->dims[i] == LQ_DIM_OPEN;
        if (in->dims[i] >= 0 && __builtin_mul_overflow(have, in->dims[i], &have))
            return false;
    }
    for (int i = 0; i < out->rank; i++) {
        if (out->dims[i] == LQ_DIM_OPEN) {
            if (hole >= 0)
                return false;
            hole = i;
        } else if (out->dims[i] == LQ_DIM_BATCH) {
            batches--;
        } else if (__builtin_mul_overflow(want, out->dims[i], &want)) {
            return false;
        }
    }
    if (hole < 0)
        return true;
    if (batches == 0 && opens == 0 && want > 0 && have % want == 0)
        out->dims[hole] = have / want;
    else if (batches == 1 && opens == 0 && have == want)
        out->dims[hole] = LQ_DIM_BATCH;
    return true;
}

void lq_lower_reshape(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0);
    if (!lq_lower_need(low, input >= 0 && low->slots[input].made && lq_lower_output(low, 0) >= 0,
                       "its operands are missing"))
        return;
    struct lq_shape in = lq_lower_shape(low, input), out = {0};
    int shape = lq_lower_input(low, 1);
    out.rank = wanted_dims(low, out.dims);
    if (!lq_lower_need(low, out.rank >= 0, "its new shape is invalid"))
        return;
    bool known = shape < 0 || lq_constant_ints_of(low, shape) || lq_lower_rank(low, shape) != 1;
    if (known && settle(&in, &out)) {
        reshape_to(low, input, &out);
        return;
    }
    if (!lq_lower_need(low, shape >= 0, "too many of its sizes are open"))
        return;
    struct lq_value *sizes = lq_graph_add(low->graph, "Cast", LQ_INPUTS(lq_get_plain(low, shape)),
                                          LQ_ATTRS(lq_int("to", LQ_ONNX_I64)));
    lq_set_plain(low, lq_lower_output(low, 0),
                 lq_graph_add(low->graph, "Reshape", LQ_INPUTS(lq_get_plain(low, input), sizes),
                              LQ_NO_ATTRS));
}

// ---- adding and removing axes of size one

// Adds `axis` (of the result). If channels come first they stay first, so that pixels are repeated
// (EXPAND_DIMS, TILE, RESHAPE) without a Transpose; otherwise it is placed before the axis that
// follows it.
struct lq_value *lq_insert_axis(struct lq_lower *low, struct lq_value *value, int axis,
                                struct lq_axes *order)
{
    struct lq_axes made = {.rank = order->rank + 1};
    if (!lq_lower_need(low, made.rank <= LQ_RANK_MAX, "its result has too many dimensions"))
        return value;
    int64_t place = axis < order->rank ? lq_layout_place(*order, axis) : order->rank;
    if (order->rank > 2 && axis > 0 && axis < order->rank &&
        lq_layout_equal(*order, lq_layout_channels_first(order->rank)))
        place = axis + 1;
    for (int i = 0, from = 0; i < made.rank; i++) {
        int old = i == place ? axis : order->axis[from++];
        made.axis[i] = (uint8_t)(i != place && old >= axis ? old + 1 : old);
    }
    *order = made;
    return lq_graph_add(low->graph, "Unsqueeze",
                        LQ_INPUTS(value, lq_graph_i64s(low->graph, &place, 1)), LQ_NO_ATTRS);
}

struct lq_value *lq_remove_axes(struct lq_lower *low, struct lq_value *value, unsigned gone,
                                struct lq_axes *order)
{
    int64_t places[LQ_RANK_MAX];
    int count = 0;
    for (int i = 0; i < order->rank; i++)
        if (gone >> order->axis[i] & 1)
            places[count++] = i;
    *order = lq_layout_without(*order, gone);
    if (count == 0)
        return value;
    return lq_graph_add(low->graph, "Squeeze",
                        LQ_INPUTS(value, lq_graph_i64s(low->graph, places, count)), LQ_NO_ATTRS);
}

void lq_lower_squeeze(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    struct lq_flat_list axes = lq_tflite_option_ints(low->model, low->op, 0);
    struct lq_shape shape = lq_lower_shape(low, input);
    unsigned gone = 0;
    for (int i = 0; i < axes.count; i++) {
        int axis = lq_flat_int(axes, i);
        axis += axis < 0 ? rank : 0;
        if (!lq_lower_need(low, axis >= 0 && axis < rank, "it squeezes a missing axis"))
            return;
        gone |= 1u << axis;
    }
    for (int i = 0; axes.count == 0 && i < rank; i++)
        gone |= (unsigned)(shape.dims[i] == 1) << i;
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    value = lq_remove_axes(low, value, gone, &order);
    lq_set(low, lq_lower_output(low, 0), value, order);
}

void lq_lower_expand_dims(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    int64_t axis;
    if (!lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 1), &axis, 1) == 1,
                       "its axis must be a constant"))
        return;
    axis += axis < 0 ? rank + 1 : 0;
    if (!lq_lower_need(low, axis >= 0 && axis <= rank, "its axis is invalid"))
        return;
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    value = lq_insert_axis(low, value, (int)axis, &order);
    lq_set(low, lq_lower_output(low, 0), value, order);
}

// ---- TRANSPOSE, SHAPE

void lq_lower_transpose(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input), map[LQ_RANK_MAX];
    int64_t perm[LQ_RANK_MAX];
    unsigned seen = 0;
    bool fine = input >= 0 && low->slots[input].made &&
                lq_ints_of(low, lq_lower_input(low, 1), perm, LQ_RANK_MAX) == rank;
    for (int i = 0; fine && i < rank; i++) {
        fine = perm[i] >= 0 && perm[i] < rank;
        seen |= fine ? 1u << perm[i] : 0;
        map[i] = (int)perm[i];
    }
    if (!lq_lower_need(low, fine && seen == (1u << rank) - 1,
                       "its order of axes must be a constant"))
        return;
    if (lq_is_constant(low, input)) { // of a kind that fold.c does not fold
        int64_t dims[LQ_RANK_MAX];
        for (int i = 0; i < rank; i++)
            dims[i] = perm[i];
        lq_set_plain(low, lq_lower_output(low, 0),
                     lq_graph_add(low->graph, "Transpose", LQ_INPUTS(lq_get_plain(low, input)),
                                  LQ_ATTRS(lq_ints("perm", dims, rank))));
        return;
    }
    lq_set_renamed(low, lq_lower_output(low, 0), input, map);
}

void lq_lower_shape_of(struct lq_lower *low)
{
    struct lq_axes order;
    int output = lq_lower_output(low, 0);
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    if (!lq_lower_need(low, output >= 0, "its result is missing"))
        return;
    struct lq_value *sizes = lq_graph_add(low->graph, "Shape", LQ_INPUTS(x), LQ_NO_ATTRS);
    if (!lq_layout_is_plain(order)) {
        int64_t places[LQ_RANK_MAX];
        for (int i = 0; i < order.rank; i++)
            places[i] = lq_layout_place(order, i);
        sizes = lq_graph_add(low->graph, "Gather",
                             LQ_INPUTS(sizes, lq_graph_i64s(low->graph, places, order.rank)),
                             LQ_ATTRS(lq_int("axis", 0)));
    }
    enum lq_onnx_type type = lq_lower_stored_type(low, output);
    if (type != LQ_ONNX_I64)
        sizes = lq_graph_add(low->graph, "Cast", LQ_INPUTS(sizes), LQ_ATTRS(lq_int("to", type)));
    lq_set_plain(low, output, sizes);
}
