// Forms: the axis orders, and the kinds of numbers, in which a tensor is available.
#include <string.h>

#include "convert/lower.h"

// ---- finding and adding forms

static struct lq_tensor_form *find_form(struct lq_tensor_state *slot, enum lq_tensor_form_kind kind,
                                        bool folded, const struct lq_axes *order)
{
    for (struct lq_tensor_form *form = slot->forms; form; form = form->next)
        if (form->kind == kind && form->folded == folded &&
            (!order || lq_layout_equal(form->order, *order)))
            return form;
    return NULL;
}

static void add_form(struct lq_lower *low, int tensor, struct lq_tensor_form form)
{
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_tensor_form *copy = lq_graph_take(low->graph, sizeof *copy);
    if (!copy || low->graph->status != LQ_OK)
        return;
    *copy = form;
    copy->next = NULL;
    struct lq_tensor_form **end = &slot->forms;
    while (*end)
        end = &(*end)->next;
    *end = copy;
    if (form.value->name)
        return;
    if (!slot->name_taken) {
        slot->name_taken = true;
        form.value->name = slot->name;
    }
}

static struct lq_shape stored_shape(const struct lq_shape *shape, struct lq_axes order)
{
    struct lq_shape stored = {.rank = order.rank};
    lq_layout_ints(order, shape->dims, stored.dims);
    return stored;
}

// ---- transposing

struct lq_value *lq_transpose(struct lq_lower *low, struct lq_value *value, struct lq_axes from,
                              struct lq_axes to)
{
    if (lq_layout_equal(from, to) || low->graph->status != LQ_OK)
        return value;
    int64_t perm[LQ_RANK_MAX], dims[LQ_RANK_MAX];
    int open = 0, last = -1;
    bool moves = false; // whether axes longer than 1 change their order
    for (int i = 0; i < to.rank; i++) {
        perm[i] = lq_layout_place(from, to.axis[i]);
        int64_t size = value->shape.dims[perm[i]];
        dims[i] = size;
        open += size < 0;
        if (size == 1)
            continue;
        moves |= perm[i] < last;
        last = (int)perm[i];
    }
    if (moves || open > 1)
        return lq_graph_add(low->graph, "Transpose", LQ_INPUTS(value),
                            LQ_ATTRS(lq_ints("perm", perm, to.rank)));
    for (int i = 0; i < to.rank; i++)
        dims[i] = dims[i] < 0 ? -1 : dims[i];
    return lq_reshaped(low, value, dims, to.rank);
}

struct lq_value *lq_clip(struct lq_lower *low, struct lq_value *value, float least, float most)
{
    return lq_graph_add(low->graph, "Clip",
                        LQ_INPUTS(value, lq_graph_f32(low->graph, least),
                                  lq_graph_f32(low->graph, most)),
                        LQ_NO_ATTRS);
}

struct lq_value *lq_reshaped(struct lq_lower *low, struct lq_value *value, const int64_t *dims,
                             int rank)
{
    struct lq_shape shape = lq_shape_of(rank, dims);
    int64_t items = lq_shape_items(&shape);
    if (value->data && items >= 0 && items == lq_shape_items(&value->shape))
        return lq_graph_constant(low->graph, value->type, &shape, value->data);
    return lq_graph_add(low->graph, "Reshape",
                        LQ_INPUTS(value, lq_graph_i64s(low->graph, dims, rank)), LQ_NO_ATTRS);
}

// ---- from stored numbers to real values and back

static struct lq_value *quantisation(struct lq_lower *low, int tensor, struct lq_value **zero)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    enum lq_onnx_type type = lq_lower_stored_type(low, tensor);
    int count = about->scale_count;
    struct lq_shape shape = {count > 1, {count}};
    float *scales = lq_graph_take(low->graph, (size_t)count * sizeof *scales);
    void *zeros = lq_graph_take(low->graph, (size_t)count * sizeof(int32_t));
    *zero = &low->graph->nothing;
    if (!scales || !zeros)
        return *zero;
    for (int i = 0; i < count; i++) {
        int64_t number = lq_tflite_zero(about, i);
        scales[i] = lq_tflite_scale(about, i);
        if (type == LQ_ONNX_I32)
            ((int32_t *)zeros)[i] = (int32_t)number;
        else
            ((uint8_t *)zeros)[i] = (uint8_t)number;
    }
    *zero = lq_graph_constant(low->graph, type, &shape, zeros);
    return lq_graph_constant(low->graph, LQ_ONNX_F32, &shape, scales);
}

static int64_t quantised_place(const struct lq_lower *low, int tensor, struct lq_axes order)
{
    int axis = lq_lower_tensor(low, tensor)->scale_axis;
    return axis < order.rank ? lq_layout_place(order, axis) : 0;
}

static bool can_quantise(struct lq_lower *low, int tensor)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    int rank = lq_lower_rank(low, tensor);
    return lq_lower_need(low, about->scale_count == 1 ||
                                  (about->type != LQ_TFLITE_I16 && about->scale_axis >= 0 &&
                                   about->scale_axis < rank),
                         "a tensor's scales match none of its axes");
}

// ---- int16: opset 17's QuantizeLinear does not support it, so the arithmetic is written out

static struct lq_value *arithmetic(struct lq_lower *low, const char *op, struct lq_value *x,
                                   float number)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(x, lq_graph_f32(low->graph, number)),
                        LQ_NO_ATTRS);
}

// Integers in int16's range, still as floats.
static struct lq_value *wide_steps(struct lq_lower *low, int tensor, struct lq_value *real)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    float zero = (float)lq_tflite_zero(about, 0);
    struct lq_value *x = arithmetic(low, "Div", real, lq_tflite_scale(about, 0));
    x = lq_graph_add(low->graph, "Round", LQ_INPUTS(x), LQ_NO_ATTRS);
    x = zero != 0 ? arithmetic(low, "Add", x, zero) : x;
    return lq_clip(low, x, -32768, 32767);
}

static struct lq_value *wide_real(struct lq_lower *low, int tensor, struct lq_value *steps)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    float zero = (float)lq_tflite_zero(about, 0);
    steps = zero != 0 ? arithmetic(low, "Sub", steps, zero) : steps;
    return arithmetic(low, "Mul", steps, lq_tflite_scale(about, 0));
}

static struct lq_value *cast(struct lq_lower *low, struct lq_value *x, enum lq_onnx_type type)
{
    return lq_graph_add(low->graph, "Cast", LQ_INPUTS(x), LQ_ATTRS(lq_int("to", type)));
}

// Sets both forms: the network continues with floats, and the Cast remains only if the stored
// numbers are used.
static void set_wide(struct lq_lower *low, int tensor, struct lq_value *real,
                     struct lq_axes order)
{
    if (!can_quantise(low, tensor))
        return;
    struct lq_value *steps = wide_steps(low, tensor, real);
    lq_set_stored(low, tensor, cast(low, steps, LQ_ONNX_I16), order);
    real = wide_real(low, tensor, steps);
    if (low->graph->status == LQ_OK)
        add_form(low, tensor, (struct lq_tensor_form){real, order, LQ_REAL, false, NULL});
}

static struct lq_value *to_real(struct lq_lower *low, int tensor, struct lq_value *stored,
                                struct lq_axes order)
{
    if (lq_lower_real_type(low, tensor) == lq_lower_stored_type(low, tensor))
        return stored;
    if (lq_lower_stored_type(low, tensor) == LQ_ONNX_F16)
        return cast(low, stored, LQ_ONNX_F32);
    if (!can_quantise(low, tensor))
        return stored;
    if (lq_lower_stored_type(low, tensor) == LQ_ONNX_I16)
        return wide_real(low, tensor, cast(low, stored, LQ_ONNX_F32));
    struct lq_value *zero, *scale = quantisation(low, tensor, &zero);
    return lq_graph_add(low->graph, "DequantizeLinear", LQ_INPUTS(stored, scale, zero),
                        LQ_ATTRS(lq_int("axis", quantised_place(low, tensor, order))));
}

static struct lq_value *to_stored(struct lq_lower *low, int tensor, struct lq_value *real,
                                  struct lq_axes order)
{
    if (lq_lower_real_type(low, tensor) == lq_lower_stored_type(low, tensor))
        return real;
    if (lq_lower_stored_type(low, tensor) == LQ_ONNX_F16)
        return cast(low, real, LQ_ONNX_F16);
    if (!can_quantise(low, tensor))
        return real;
    struct lq_value *zero, *scale = quantisation(low, tensor, &zero);
    return lq_graph_add(low->graph, "QuantizeLinear", LQ_INPUTS(real, scale, zero),
                        LQ_ATTRS(lq_int("axis", quantised_place(low, tensor, order))));
}

// ---- getting

static bool usable(struct lq_lower *low, int tensor, struct lq_axes order)
{
    return lq_lower_need(low, tensor >= 0, "a required input is missing") &&
           lq_lower_need(low, low->slots[tensor].made, "an input is used before it is computed") &&
           lq_lower_need(low, order.rank == lq_lower_rank(low, tensor),
                         "an input has an unexpected number of dimensions");
}

// A constant's stored numbers in an order.
static struct lq_value *constant_form(struct lq_lower *low, int tensor, struct lq_axes order)
{
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_tensor_form *form = find_form(slot, LQ_STORED, false, &order);
    if (form)
        return form->value;
    struct lq_shape shape = stored_shape(&slot->shape, order);
    const void *data = lq_stored_constant(low, tensor, order);
    if (!data)
        return &low->graph->nothing;
    struct lq_value *value =
        lq_graph_constant(low->graph, lq_lower_stored_type(low, tensor), &shape, data);
    add_form(low, tensor, (struct lq_tensor_form){value, order, LQ_STORED, false, NULL});
    return value;
}

struct lq_value *lq_get_folded(struct lq_lower *low, int tensor, struct lq_axes order)
{
    if (!usable(low, tensor, order))
        return &low->graph->nothing;
    struct lq_tensor_state *slot = &low->slots[tensor];
    if (!lq_is_constant(low, tensor) ||
        lq_lower_real_type(low, tensor) == lq_lower_stored_type(low, tensor))
        return lq_get(low, tensor, order);
    struct lq_tensor_form *form = find_form(slot, LQ_REAL, true, &order);
    if (form)
        return form->value;
    struct lq_shape shape = stored_shape(&slot->shape, order);
    float *numbers = lq_real_constant(low, tensor, order);
    if (!numbers)
        return &low->graph->nothing;
    struct lq_value *value = lq_graph_constant(low->graph, LQ_ONNX_F32, &shape, numbers);
    add_form(low, tensor, (struct lq_tensor_form){value, order, LQ_REAL, true, NULL});
    return value;
}

static struct lq_value *get_constant(struct lq_lower *low, int tensor, struct lq_axes order)
{
    // float16 weights are written as real values; quantised ones keep their stored numbers.
    if (lq_lower_stored_type(low, tensor) == LQ_ONNX_F16)
        return lq_get_folded(low, tensor, order);
    struct lq_value *stored = constant_form(low, tensor, order);
    struct lq_value *real = to_real(low, tensor, stored, order);
    if (real != stored)
        add_form(low, tensor, (struct lq_tensor_form){real, order, LQ_REAL, false, NULL});
    return real;
}

struct lq_value *lq_get(struct lq_lower *low, int tensor, struct lq_axes order)
{
    if (!usable(low, tensor, order))
        return &low->graph->nothing;
    struct lq_tensor_state *slot = &low->slots[tensor];
    bool same = lq_lower_real_type(low, tensor) == lq_lower_stored_type(low, tensor);
    enum lq_tensor_form_kind kind = same ? LQ_STORED : LQ_REAL;
    struct lq_tensor_form *form = find_form(slot, kind, false, &order);
    if (form)
        return form->value;
    if (lq_is_constant(low, tensor))
        return get_constant(low, tensor, order);
    // Transpose last: a DequantizeLinear should directly follow its QuantizeLinear.
    form = find_form(slot, kind, false, NULL);
    if (!form) {
        struct lq_tensor_form *stored = find_form(slot, LQ_STORED, false, NULL);
        struct lq_value *real = to_real(low, tensor, stored->value, stored->order);
        add_form(low, tensor, (struct lq_tensor_form){real, stored->order, LQ_REAL, false, NULL});
        form = find_form(slot, LQ_REAL, false, NULL);
        if (!form)
            return &low->graph->nothing;
    }
    if (lq_layout_equal(form->order, order))
        return form->value;
    struct lq_value *reordered = lq_transpose(low, form->value, form->order, order);
    add_form(low, tensor, (struct lq_tensor_form){reordered, order, kind, false, NULL});
    return reordered;
}

struct lq_value *lq_get_plain(struct lq_lower *low, int tensor)
{
    return lq_get(low, tensor, lq_layout_plain(tensor < 0 ? 0 : lq_lower_rank(low, tensor)));
}

struct lq_value *lq_get_any(struct lq_lower *low, int tensor, struct lq_axes *order)
{
    *order = lq_layout_common(low, &tensor, 1);
    return lq_get(low, tensor, *order);
}

struct lq_value *lq_get_stored(struct lq_lower *low, int tensor)
{
    struct lq_axes order = lq_layout_plain(tensor < 0 ? 0 : lq_lower_rank(low, tensor));
    if (!usable(low, tensor, order))
        return &low->graph->nothing;
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_tensor_form *form = find_form(slot, LQ_STORED, false, &order);
    if (form)
        return form->value;
    if (lq_is_constant(low, tensor))
        return constant_form(low, tensor, order);
    form = find_form(slot, LQ_STORED, false, NULL);
    struct lq_value *reordered = lq_transpose(low, form->value, form->order, order);
    add_form(low, tensor, (struct lq_tensor_form){reordered, order, LQ_STORED, false, NULL});
    return reordered;
}

struct lq_axes lq_layout_common(struct lq_lower *low, const int *tensors, int count)
{
    int rank = 0, best = -1;
    double best_items = -1;
    for (int i = 0; i < count; i++)
        if (tensors[i] >= 0 && lq_lower_rank(low, tensors[i]) > rank)
            rank = lq_lower_rank(low, tensors[i]);
    // The largest one stays as it is; the others are transposed if needed.
    for (int i = 0; i < count; i++) {
        const struct lq_tensor_state *slot = tensors[i] < 0 ? NULL : &low->slots[tensors[i]];
        if (!slot || !slot->forms || lq_is_constant(low, tensors[i]) || slot->shape.rank != rank)
            continue;
        double items = 1;
        for (int d = 0; d < rank; d++)
            items *= slot->shape.dims[d] < 0 ? 256 : (double)slot->shape.dims[d];
        // Among equals, prefer one whose order is not TFLite's: it comes from a convolution.
        bool moved = !lq_layout_is_plain(slot->forms->order);
        if (items > best_items ||
            (items == best_items && moved && lq_layout_is_plain(low->slots[best].forms->order))) {
            best = tensors[i];
            best_items = items;
        }
    }
    return best < 0 ? lq_layout_plain(rank) : low->slots[best].forms->order;
}

// ---- setting

static struct lq_shape plain_shape(const struct lq_shape *stored, struct lq_axes order)
{
    struct lq_shape shape = {.rank = order.rank};
    for (int i = 0; i < order.rank; i++)
        shape.dims[order.axis[i]] = stored->dims[i];
    return shape;
}

// The inferred shape must agree with the file's, where both are known.
static void check_shape(struct lq_lower *low, int tensor)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    const struct lq_shape *shape = &low->slots[tensor].shape;
    bool fits = !about->ranked || about->rank == 0 || about->rank == shape->rank;
    for (int i = 0; fits && i < about->rank; i++)
        fits = about->dims[i] < 0 || shape->dims[i] < 0 || about->dims[i] == shape->dims[i];
    if (fits)
        return;
    char made[96], file_text[96];
    struct lq_shape file = lq_shape_of(about->rank, about->dims);
    lq_graph_fail(low->graph, LQ_ERR_MODEL, "its result is %s where the file says %s",
                  lq_shape_text(shape, made, sizeof made),
                  lq_shape_text(&file, file_text, sizeof file_text));
}

static bool may_set(struct lq_lower *low, int tensor, const struct lq_shape *shape)
{
    if (!lq_lower_need(low, tensor >= 0, "one of its outputs is missing") ||
        !lq_lower_need(low, !low->slots[tensor].made, "its output is computed twice"))
        return false;
    low->slots[tensor].shape = *shape;
    low->slots[tensor].made = true;
    check_shape(low, tensor);
    return low->graph->status == LQ_OK;
}

void lq_set_stored(struct lq_lower *low, int tensor, struct lq_value *value, struct lq_axes order)
{
    if (low->graph->status != LQ_OK)
        return;
    struct lq_shape shape = plain_shape(&value->shape, order);
    if (!lq_lower_need(low, value->shape.rank == order.rank, "axes are missing") ||
        !may_set(low, tensor, &shape) ||
        !lq_lower_need(low, value->type == lq_lower_stored_type(low, tensor),
                       "its output's type differs from the file's"))
        return;
    add_form(low, tensor, (struct lq_tensor_form){value, order, LQ_STORED, false, NULL});
}

void lq_set(struct lq_lower *low, int tensor, struct lq_value *value, struct lq_axes order)
{
    if (low->graph->status != LQ_OK)
        return;
    if (tensor >= 0)
        low->slots[tensor].shape.rank = order.rank; // for the quantised axis
    if (lq_lower_quantised(low, tensor) && lq_lower_stored_type(low, tensor) == LQ_ONNX_I16) {
        set_wide(low, tensor, value, order);
        return;
    }
    if (tensor >= 0)
        value = to_stored(low, tensor, value, order);
    lq_set_stored(low, tensor, value, order);
}

void lq_set_plain(struct lq_lower *low, int tensor, struct lq_value *value)
{
    lq_set(low, tensor, value, lq_layout_plain(value->shape.rank));
}

void lq_set_renamed(struct lq_lower *low, int tensor, int from, const int *map)
{
    if (low->graph->status != LQ_OK)
        return;
    const struct lq_tensor_state *source = &low->slots[from];
    struct lq_shape shape = {.rank = source->shape.rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = source->shape.dims[map[i]];
    if (!may_set(low, tensor, &shape))
        return;
    for (const struct lq_tensor_form *form = source->forms; form; form = form->next) {
        struct lq_tensor_form renamed = *form;
        for (int i = 0; i < shape.rank; i++)
            for (int axis = 0; axis < shape.rank; axis++)
                if (map[axis] == form->order.axis[i])
                    renamed.order.axis[i] = (uint8_t)axis;
        add_form(low, tensor, renamed);
    }
}

void lq_set_constant(struct lq_lower *low, int tensor, const void *data,
                     const struct lq_shape *shape)
{
    if (low->graph->status == LQ_OK && data && may_set(low, tensor, shape))
        low->slots[tensor].data = data;
}

void lq_set_dequantised(struct lq_lower *low, int tensor, int constant)
{
    if (low->graph->status == LQ_OK && may_set(low, tensor, &low->slots[constant].shape))
        low->slots[tensor].dequantised_of = constant;
}

// Whether both have the same quantisation, or none: the stored numbers are passed on too.
static bool same_quantisation(const struct lq_tflite_tensor *a, const struct lq_tflite_tensor *b)
{
    bool same = a->type == b->type && a->scale_count == b->scale_count &&
                a->scale_axis == b->scale_axis;
    for (int i = 0; same && i < a->scale_count; i++)
        same = lq_tflite_scale(a, i) == lq_tflite_scale(b, i) &&
               lq_tflite_zero(a, i) == lq_tflite_zero(b, i);
    return same;
}

void lq_hand_over(struct lq_lower *from, int tensor, struct lq_lower *to, int target)
{
    if (from->graph->status != LQ_OK ||
        !lq_lower_need(from, tensor >= 0 && target >= 0 && from->slots[tensor].made,
                       "an argument or a result of its sub-graph is missing") ||
        !lq_lower_need(from, same_quantisation(lq_lower_tensor(from, tensor),
                                               lq_lower_tensor(to, target)),
                       "its sub-graph expects other types or another quantisation"))
        return;
    struct lq_tensor_state *source = &from->slots[tensor], *slot = &to->slots[target];
    if (!lq_lower_need(to, !slot->made, "an input or result of its sub-graph is computed twice"))
        return;
    slot->shape = source->shape;
    slot->made = true;
    slot->known = source->known;
    slot->forms = source->forms;
    slot->data = source->data;
    // `dequantised_of` is a tensor number of the other graph, so compute the real values now.
    if (source->dequantised_of >= 0)
        slot->data = lq_stored_constant(from, tensor, lq_layout_plain(source->shape.rank));
}
