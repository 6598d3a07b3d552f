// Element-wise operators: they accept any axis order.
#include <math.h>

#include "convert/lower.h"
#include "format/tflite_ops.h"

// ---- activations

static struct lq_value *one(struct lq_lower *low, const char *op, struct lq_value *x)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(x), LQ_NO_ATTRS);
}

static struct lq_value *two(struct lq_lower *low, const char *op, struct lq_value *x,
                            struct lq_value *y)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(x, y), LQ_NO_ATTRS);
}

static struct lq_value *number(struct lq_lower *low, float value)
{
    return lq_graph_f32(low->graph, value);
}

struct lq_value *lq_activate(struct lq_lower *low, struct lq_value *value, int activation)
{
    switch (activation) {
    case 0:
        return value;
    case 1:
        return one(low, "Relu", value);
    case 2:
        return lq_clip(low, value, -1, 1);
    case 3:
        return lq_clip(low, value, 0, 6);
    case 4:
        return one(low, "Tanh", value);
    default:
        return lq_graph_fail(low->graph, LQ_ERR_MODEL, "its fused activation %d is not supported",
                             activation);
    }
}

bool lq_clip_is_free(const struct lq_lower *low, int tensor, int activation)
{
    if (activation == 0)
        return true;
    if (!lq_lower_quantised(low, tensor) || activation > 3)
        return false;
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    double scale = (double)lq_tflite_scale(about, 0), zero = (double)lq_tflite_zero(about, 0);
    int type = about->type;
    double low_end = (type == LQ_TFLITE_I16 ? -32768 : type == LQ_TFLITE_I8 ? -128 : 0) - zero;
    double high_end = (type == LQ_TFLITE_I16 ? 32767 : type == LQ_TFLITE_I8 ? 127 : 255) - zero;
    low_end *= scale;
    high_end *= scale;
    double least = activation == 2 ? -1 : 0;
    double most = activation == 1 ? INFINITY : activation == 2 ? 1 : 6;
    // With a tolerance of a fraction of a step, which rounding hides.
    return about->scale_count == 1 && low_end >= least - scale / 4 && high_end <= most + scale / 4;
}

// ---- binary operators

// Gets a tensor for a broadcast in `order`: a lower rank gets ones in front.
static struct lq_value *get_broadcast(struct lq_lower *low, int tensor, struct lq_axes order)
{
    int rank = lq_lower_rank(low, tensor);
    if (tensor < 0 || rank == order.rank || rank == 0 || rank > order.rank)
        return lq_get(low, tensor, rank == 0 ? lq_layout_plain(0) : order);
    struct lq_shape shape = low->slots[tensor].shape, spread = {.rank = order.rank};
    int missing = order.rank - rank, open = 0;
    for (int i = 0; i < order.rank; i++) {
        spread.dims[i] = i < missing ? 1 : shape.dims[i - missing];
        open += spread.dims[i] < 0;
    }
    struct lq_value *value = lq_get_plain(low, tensor);
    // Already right: ONNX also adds ones in front.
    if (lq_layout_is_plain(order) || low->graph->status != LQ_OK)
        return value;
    if (value->data && value->type == LQ_ONNX_F32 && lq_shape_items(&shape) == 1)
        return value;
    if (open > 1) {
        int64_t axes[LQ_RANK_MAX];
        for (int i = 0; i < missing; i++)
            axes[i] = i;
        value = two(low, "Unsqueeze", value, lq_graph_i64s(low->graph, axes, missing));
    } else {
        int64_t dims[LQ_RANK_MAX];
        for (int i = 0; i < order.rank; i++)
            dims[i] = spread.dims[i] < 0 ? -1 : spread.dims[i];
        value = lq_reshaped(low, value, dims, order.rank);
    }
    // In most networks at most one axis is longer than 1; then this needs no Transpose.
    return lq_transpose(low, value, lq_layout_plain(order.rank), order);
}

// Gets both operands of a binary operator in the same order. Returns that order.
static struct lq_axes get_two(struct lq_lower *low, struct lq_value **x, struct lq_value **y)
{
    int operands[2] = {lq_lower_input(low, 0), lq_lower_input(low, 1)};
    *x = *y = &low->graph->nothing;
    if (!lq_lower_need(low, operands[0] >= 0 && operands[1] >= 0, "an operand is missing"))
        return lq_layout_plain(0);
    struct lq_axes order = lq_layout_common(low, operands, 2);
    *x = get_broadcast(low, operands[0], order);
    *y = get_broadcast(low, operands[1], order);
    return order;
}

// ONNX has no FloorDiv and FloorMod for integers.
static struct lq_value *floor_divide(struct lq_lower *low, struct lq_value *x, struct lq_value *y)
{
    if (x->type == LQ_ONNX_F32)
        return one(low, "Floor", two(low, "Div", x, y));
    struct lq_attr to_real[] = {lq_int("to", LQ_ONNX_F64), {0}},
        back[] = {lq_int("to", x->type), {0}};
    x = lq_graph_add(low->graph, "Cast", LQ_INPUTS(x), to_real);
    y = lq_graph_add(low->graph, "Cast", LQ_INPUTS(y), to_real);
    return lq_graph_add(low->graph, "Cast", LQ_INPUTS(one(low, "Floor", two(low, "Div", x, y))),
                        back);
}

static struct lq_value *combine(struct lq_lower *low, struct lq_value *x, struct lq_value *y)
{
    switch (low->op->builtin) {
    case LQ_OP_ADD:
        return two(low, "Add", x, y);
    case LQ_OP_SUB:
        return two(low, "Sub", x, y);
    case LQ_OP_MUL:
        return two(low, "Mul", x, y);
    case LQ_OP_DIV:
        return two(low, "Div", x, y);
    case LQ_OP_MAXIMUM:
        return two(low, "Max", x, y);
    case LQ_OP_MINIMUM:
        return two(low, "Min", x, y);
    case LQ_OP_POW:
        return two(low, "Pow", x, y);
    case LQ_OP_LOGICAL_AND:
        return two(low, "And", x, y);
    case LQ_OP_LOGICAL_OR:
        return two(low, "Or", x, y);
    case LQ_OP_FLOOR_DIV:
        return floor_divide(low, x, y);
    case LQ_OP_FLOOR_MOD: // the result has the sign of the divisor, for integers and floats
        if (x->type != LQ_ONNX_F32)
            return two(low, "Mod", x, y);
        return two(low, "Sub", x, two(low, "Mul", one(low, "Floor", two(low, "Div", x, y)), y));
    default: { // SQUARED_DIFFERENCE
        struct lq_value *difference = two(low, "Sub", x, y);
        return two(low, "Mul", difference, difference);
    }
    }
}

void lq_lower_binary(struct lq_lower *low)
{
    struct lq_value *x, *y;
    struct lq_axes order = get_two(low, &x, &y);
    int builtin = low->op->builtin, output = lq_lower_output(low, 0);
    bool fuses = builtin == LQ_OP_ADD || builtin == LQ_OP_SUB || builtin == LQ_OP_MUL ||
                 builtin == LQ_OP_DIV;
    int activation = fuses ? lq_lower_byte(low, 0, 0) : 0;
    struct lq_value *z = combine(low, x, y);
    if (output >= 0 && !lq_clip_is_free(low, output, activation))
        z = lq_activate(low, z, activation);
    lq_set(low, output, z, order);
}

void lq_lower_compare(struct lq_lower *low)
{
    struct lq_value *x, *y;
    struct lq_axes order = get_two(low, &x, &y);
    const char *op = NULL;
    switch (low->op->builtin) {
    case LQ_OP_LESS:
        op = "Less";
        break;
    case LQ_OP_LESS_EQUAL:
        op = "LessOrEqual";
        break;
    case LQ_OP_GREATER:
        op = "Greater";
        break;
    case LQ_OP_GREATER_EQUAL:
        op = "GreaterOrEqual";
        break;
    default:
        op = "Equal";
        break;
    }
    struct lq_value *z = two(low, op, x, y);
    if (low->op->builtin == LQ_OP_NOT_EQUAL)
        z = one(low, "Not", z);
    lq_set(low, lq_lower_output(low, 0), z, order);
}

// SELECT's condition may have one value per row, which ONNX's broadcast would align differently.
static struct lq_value *condition_for(struct lq_lower *low, int tensor, struct lq_axes order)
{
    bool of_rows = low->op->builtin == LQ_OP_SELECT && lq_lower_rank(low, tensor) == 1;
    if (!of_rows || order.rank < 2)
        return get_broadcast(low, tensor, order);
    int64_t dims[LQ_RANK_MAX];
    for (int i = 0; i < order.rank; i++)
        dims[i] = order.axis[i] == 0 ? -1 : 1;
    return lq_reshaped(low, lq_get_plain(low, tensor), dims, order.rank);
}

void lq_lower_select(struct lq_lower *low)
{
    int operands[3] = {lq_lower_input(low, 0), lq_lower_input(low, 1), lq_lower_input(low, 2)};
    if (!lq_lower_need(low, operands[0] >= 0 && operands[1] >= 0 && operands[2] >= 0,
                       "an operand is missing"))
        return;
    struct lq_axes order = lq_layout_common(low, operands, 3);
    struct lq_value *condition = condition_for(low, operands[0], order);
    struct lq_value *x = get_broadcast(low, operands[1], order);
    struct lq_value *y = get_broadcast(low, operands[2], order);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "Where", LQ_INPUTS(condition, x, y), LQ_NO_ATTRS), order);
}

void lq_lower_add_n(struct lq_lower *low)
{
    int tensors[64], count = low->op->inputs.count;
    if (!lq_lower_need(low, count > 0 && count <= 64, "it adds no or too many tensors"))
        return;
    for (int i = 0; i < count; i++)
        tensors[i] = lq_lower_input(low, i);
    struct lq_axes order = lq_layout_common(low, tensors, count);
    struct lq_value *sum = lq_get(low, tensors[0], order);
    for (int i = 1; i < count; i++)
        sum = two(low, "Add", sum, lq_get(low, tensors[i], order));
    lq_set(low, lq_lower_output(low, 0), sum, order);
}

// ---- unary operators

static struct lq_value *gelu(struct lq_lower *low, struct lq_value *x)
{
    struct lq_value *half = two(low, "Mul", x, number(low, 0.5f)), *inner;
    if (lq_lower_byte(low, 0, 0)) { // by tanh
        struct lq_value *cube = two(low, "Mul", x, two(low, "Mul", x, x));
        inner = two(low, "Add", x, two(low, "Mul", cube, number(low, 0.044715f)));
        inner = one(low, "Tanh", two(low, "Mul", inner, number(low, 0.7978845608028654f)));
    } else {
        inner = one(low, "Erf", two(low, "Mul", x, number(low, 0.7071067811865476f)));
    }
    return two(low, "Mul", half, two(low, "Add", inner, number(low, 1)));
}

static struct lq_value *apply(struct lq_lower *low, struct lq_value *x)
{
    switch (low->op->builtin) {
    case LQ_OP_RELU:
        return one(low, "Relu", x);
    case LQ_OP_RELU6:
        return lq_clip(low, x, 0, 6);
    case LQ_OP_RELU_N1_TO_1:
        return lq_clip(low, x, -1, 1);
    case LQ_OP_RELU_0_TO_1:
        return lq_clip(low, x, 0, 1);
    case LQ_OP_LEAKY_RELU:
        return lq_graph_add(
            low->graph, "LeakyRelu", LQ_INPUTS(x),
            LQ_ATTRS(lq_float("alpha", lq_tflite_option_float(low->model, low->op, 0, 0))));
    case LQ_OP_ELU:
        return one(low, "Elu", x);
    case LQ_OP_GELU:
        return gelu(low, x);
    case LQ_OP_HARD_SWISH:
        return one(low, "HardSwish", x);
    case LQ_OP_LOGISTIC:
        return one(low, "Sigmoid", x);
    case LQ_OP_TANH:
        return one(low, "Tanh", x);
    case LQ_OP_EXP:
        return one(low, "Exp", x);
    case LQ_OP_LOG:
        return one(low, "Log", x);
    case LQ_OP_SQRT:
        return one(low, "Sqrt", x);
    case LQ_OP_RSQRT:
        return one(low, "Reciprocal", one(low, "Sqrt", x));
    case LQ_OP_SQUARE:
        return two(low, "Mul", x, x);
    case LQ_OP_NEG:
        return one(low, "Neg", x);
    case LQ_OP_ABS:
        return one(low, "Abs", x);
    case LQ_OP_SIGN:
        return one(low, "Sign", x);
    case LQ_OP_FLOOR:
        return one(low, "Floor", x);
    case LQ_OP_CEIL:
        return one(low, "Ceil", x);
    case LQ_OP_ROUND:
        return one(low, "Round", x);
    case LQ_OP_SIN:
        return one(low, "Sin", x);
    case LQ_OP_COS:
        return one(low, "Cos", x);
    default:
        return one(low, "Not", x);
    }
}

void lq_lower_unary(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    int output = lq_lower_output(low, 0), builtin = low->op->builtin;
    int clip = builtin == LQ_OP_RELU ? 1 : builtin == LQ_OP_RELU_N1_TO_1 ? 2
               : builtin == LQ_OP_RELU6 ? 3 : -1;
    bool is_free = clip >= 0 && output >= 0 && lq_clip_is_free(low, output, clip);
    lq_set(low, output, is_free ? x : apply(low, x), order);
}

void lq_lower_prelu(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    struct lq_value *slope = get_broadcast(low, lq_lower_input(low, 1), order);
    lq_set(low, lq_lower_output(low, 0), two(low, "PRelu", x, slope), order);
}

// ---- along one axis, the last of TFLite's

void lq_lower_softmax(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    float beta = lq_tflite_option_float(low->model, low->op, 0, 1);
    bool is_log = low->op->builtin == LQ_OP_LOG_SOFTMAX;
    if (!lq_lower_need(low, order.rank > 0, "a single number has no softmax"))
        return;
    if (!is_log && beta != 1)
        x = two(low, "Mul", x, number(low, beta));
    int64_t axis = lq_layout_place(order, order.rank - 1);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, is_log ? "LogSoftmax" : "Softmax", LQ_INPUTS(x),
                        LQ_ATTRS(lq_int("axis", axis))),
           order);
}

void lq_lower_l2_normalize(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    if (!lq_lower_need(low, order.rank > 0, "a single number has no length"))
        return;
    int64_t axis = lq_layout_place(order, order.rank - 1);
    struct lq_value *length =
        lq_graph_add(low->graph, "ReduceL2", LQ_INPUTS(x),
                     LQ_ATTRS(lq_ints("axes", &axis, 1), lq_int("keepdims", 1)));
    length = two(low, "Max", length, number(low, 1e-6f)); // as in the TFLite runtime
    lq_set(low, lq_lower_output(low, 0),
           lq_activate(low, two(low, "Div", x, length), lq_lower_byte(low, 0, 0)), order);
}

// ---- types

void lq_lower_cast(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), output = lq_lower_output(low, 0);
    if (!lq_lower_need(low, input >= 0 && output >= 0, "its operands are missing"))
        return;
    enum lq_onnx_type to = lq_lower_stored_type(low, output);
    if (!lq_lower_need(low, to != LQ_ONNX_NONE, "its output's type is unknown"))
        return;
    struct lq_axes order = lq_layout_plain(lq_lower_rank(low, input));
    // A cast of quantised numbers casts the stored numbers, not the real values.
    struct lq_value *x = lq_lower_quantised(low, input) || lq_lower_quantised(low, output)
                             ? lq_get_stored(low, input)
                             : lq_get_any(low, input, &order);
    if (lq_lower_stored_type(low, input) == LQ_ONNX_F16 && x->type == LQ_ONNX_F32 &&
        to == LQ_ONNX_F32) {
        lq_set(low, output, x, order);
        return;
    }
    struct lq_value *y =
        lq_graph_add(low->graph, "Cast", LQ_INPUTS(x), LQ_ATTRS(lq_int("to", to)));
    lq_set_stored(low, output, y, order);
}

void lq_lower_quantize(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    lq_set(low, lq_lower_output(low, 0), x, order);
}

void lq_lower_dequantize(struct lq_lower *low)
{
    lq_lower_quantize(low); // operators exchange real values
}

enum { SPARSEST = 1000, SPARSE_FREE_BYTES = 1 << 20 };

void lq_lower_densify(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), output = lq_lower_output(low, 0);
    if (!lq_lower_need(low, input >= 0 && output >= 0, "its operands are missing"))
        return;
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, input);
    struct lq_shape shape = lq_shape_of(about->rank, about->dims);
    int64_t items = lq_shape_items(&shape);
    size_t item = lq_onnx_bytes(lq_lower_stored_type(low, input));
    bool fine = about->sparsity && about->data && items >= 0 && item > 0 &&
                (uint64_t)items <= SIZE_MAX / 16 &&
                lq_lower_stored_type(low, output) == lq_lower_stored_type(low, input);
    if (!lq_lower_need(low, fine, "its input is not a sparse constant"))
        return;
    // A few stored bytes must not expand to gigabytes; no real model is pruned to fewer than one
    // value in a thousand.
    bool dense_enough = (size_t)items * item <= SPARSEST * about->bytes + SPARSE_FREE_BYTES;
    if (!lq_lower_need(low, dense_enough, "its sparse constant is far larger than its values"))
        return;
    uint8_t *data = lq_graph_take(low->graph, (size_t)items * item + 1);
    if (!data)
        return;
    int status = lq_tflite_densify(low->model, about, (int)item, &low->subgraphs->sparse_steps_left,
                                   data, (size_t)items * item);
    if (lq_lower_need(low, status != LQ_ERR_TOO_LARGE,
                      "the file's sparse constants take too many steps to expand for its size") &&
        lq_lower_need(low, status == LQ_OK, "its sparse constant is damaged"))
        lq_set_constant(low, output, data, &shape);
}

void lq_lower_zeros_like(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    lq_set(low, lq_lower_output(low, 0), two(low, "Sub", x, x), order);
}
