// Constant folding: dequantises float16 and quantised constants, renames the axes of constants,
// expands sparse constants, and computes integers of shapes (SHAPE, slices of it, products,
// packing) as far as the sizes are known.
#include <string.h>

#include "convert/lower.h"
#include "format/tflite_ops.h"

// ---- integers

static int count_of(const struct lq_constant_ints *known)
{
    return known ? known->count : -1;
}

static bool know_shape(struct lq_lower *low, struct lq_constant_ints *out)
{
    int tensor = lq_lower_input(low, 0);
    if (tensor < 0 || !low->slots[tensor].made)
        return false;
    const struct lq_shape *shape = &low->slots[tensor].shape;
    out->count = shape->rank;
    for (int i = 0; i < shape->rank; i++) {
        out->some[i] = shape->dims[i] >= 0;
        out->at[i] = shape->dims[i];
    }
    return true;
}

static bool know_rank(struct lq_lower *low, struct lq_constant_ints *out)
{
    int tensor = lq_lower_input(low, 0);
    if (tensor < 0 || !low->slots[tensor].made)
        return false;
    *out = (struct lq_constant_ints){
        .count = 1, .some = {true}, .at = {low->slots[tensor].shape.rank}};
    return true;
}

// Evaluates [a:b:c] and [i] of a list.
static bool know_strided_slice(struct lq_lower *low, struct lq_constant_ints *out)
{
    const struct lq_constant_ints *from = lq_constant_ints_of(low, lq_lower_input(low, 0));
    int64_t begin, end, step;
    if (!from || lq_lower_rank(low, lq_lower_input(low, 0)) != 1 ||
        lq_ints_of(low, lq_lower_input(low, 1), &begin, 1) != 1 ||
        lq_ints_of(low, lq_lower_input(low, 2), &end, 1) != 1 ||
        lq_ints_of(low, lq_lower_input(low, 3), &step, 1) != 1 || step < 1 ||
        lq_lower_option(low, 2, 0) || lq_lower_option(low, 3, 0))
        return false;
    int count = from->count;
    begin = lq_lower_option(low, 0, 0) & 1 ? 0 : begin < 0 ? begin + count : begin;
    end = lq_lower_option(low, 1, 0) & 1 ? count : end < 0 ? end + count : end;
    if (lq_lower_option(low, 4, 0) & 1)
        end = begin + 1;
    if (begin < 0 || end > count)
        return false;
    for (int64_t i = begin; i < end; i += step) {
        out->some[out->count] = from->some[i];
        out->at[out->count++] = from->at[i];
    }
    return true;
}

static bool append(struct lq_constant_ints *out, const struct lq_constant_ints *from)
{
    if (!from || out->count + from->count > LQ_CONSTANT_INTS_MAX)
        return false;
    memcpy(out->some + out->count, from->some, (size_t)from->count * sizeof *from->some);
    memcpy(out->at + out->count, from->at, (size_t)from->count * sizeof *from->at);
    out->count += from->count;
    return true;
}

// Evaluates CONCATENATION of lists and PACK of numbers.
static bool know_joined(struct lq_lower *low, struct lq_constant_ints *out)
{
    for (int i = 0; i < low->op->inputs.count; i++) {
        static const struct lq_constant_ints unknown = {.count = 1};
        const struct lq_constant_ints *from = lq_constant_ints_of(low, lq_lower_input(low, i));
        int tensor = lq_lower_input(low, i);
        bool number = tensor >= 0 && low->slots[tensor].made && lq_lower_rank(low, tensor) == 0;
        if (!append(out, from ? from : number ? &unknown : NULL))
            return false;
    }
    return true;
}

static bool know_same(struct lq_lower *low, struct lq_constant_ints *out)
{
    return append(out, lq_constant_ints_of(low, lq_lower_input(low, 0)));
}

static bool know_gather(struct lq_lower *low, struct lq_constant_ints *out)
{
    const struct lq_constant_ints *from = lq_constant_ints_of(low, lq_lower_input(low, 0));
    int64_t which[LQ_CONSTANT_INTS_MAX];
    int count = lq_ints_of(low, lq_lower_input(low, 1), which, LQ_CONSTANT_INTS_MAX);
    if (!from || count < 0 || lq_lower_rank(low, lq_lower_input(low, 0)) != 1)
        return false;
    for (int i = 0; i < count; i++) {
        if (which[i] < 0 || which[i] >= from->count)
            return false;
        out->some[i] = from->some[which[i]];
        out->at[i] = from->at[which[i]];
    }
    out->count = count;
    return true;
}

static bool calculate(int builtin, int64_t a, int64_t b, int64_t *out)
{
    switch (builtin) {
    case LQ_OP_ADD:
        return !__builtin_add_overflow(a, b, out);
    case LQ_OP_SUB:
        return !__builtin_sub_overflow(a, b, out);
    case LQ_OP_MUL:
        return !__builtin_mul_overflow(a, b, out);
    case LQ_OP_MAXIMUM:
        *out = a > b ? a : b;
        return true;
    case LQ_OP_MINIMUM:
        *out = a < b ? a : b;
        return true;
    case LQ_OP_LESS:
        *out = a < b;
        return true;
    case LQ_OP_LESS_EQUAL:
        *out = a <= b;
        return true;
    case LQ_OP_GREATER:
        *out = a > b;
        return true;
    case LQ_OP_GREATER_EQUAL:
        *out = a >= b;
        return true;
    case LQ_OP_EQUAL:
        *out = a == b;
        return true;
    case LQ_OP_NOT_EQUAL:
        *out = a != b;
        return true;
    case LQ_OP_LOGICAL_AND:
        *out = a && b;
        return true;
    case LQ_OP_LOGICAL_OR:
        *out = a || b;
        return true;
    default: // DIV and FLOOR_DIV are equal for non-negative numbers
        if (a < 0 || b <= 0)
            return false;
        *out = a / b;
        return true;
    }
}

static bool know_arithmetic(struct lq_lower *low, struct lq_constant_ints *out)
{
    const struct lq_constant_ints *a = lq_constant_ints_of(low, lq_lower_input(low, 0));
    const struct lq_constant_ints *b = lq_constant_ints_of(low, lq_lower_input(low, 1));
    int x = count_of(a), y = count_of(b);
    if (x < 1 || y < 1 || (x != y && x != 1 && y != 1))
        return false;
    out->count = x > y ? x : y;
    for (int i = 0; i < out->count; i++) {
        int j = x == 1 ? 0 : i, k = y == 1 ? 0 : i;
        out->some[i] = a->some[j] && b->some[k] &&
                       calculate(low->op->builtin, a->at[j], b->at[k], &out->at[i]);
        if (!out->some[i])
            out->at[i] = 0;
    }
    return true;
}

static bool know_product(struct lq_lower *low, struct lq_constant_ints *out)
{
    const struct lq_constant_ints *from = lq_constant_ints_of(low, lq_lower_input(low, 0));
    if (!from || lq_lower_rank(low, lq_lower_input(low, 0)) != 1)
        return false;
    *out = (struct lq_constant_ints){.count = 1, .some = {true}, .at = {1}};
    for (int i = 0; i < from->count; i++)
        out->some[0] &= from->some[i] &&
            !__builtin_mul_overflow(out->at[0], from->at[i], &out->at[0]);
    if (!out->some[0])
        out->at[0] = 0;
    return true;
}

static bool know_range(struct lq_lower *low, struct lq_constant_ints *out)
{
    int64_t start, limit, step;
    if (lq_ints_of(low, lq_lower_input(low, 0), &start, 1) != 1 ||
        lq_ints_of(low, lq_lower_input(low, 1), &limit, 1) != 1 ||
        lq_ints_of(low, lq_lower_input(low, 2), &step, 1) != 1 || step == 0)
        return false;
    for (int64_t at = start; step > 0 ? at < limit : at > limit; at += step) {
        if (out->count == LQ_CONSTANT_INTS_MAX)
            return false;
        out->some[out->count] = true;
        out->at[out->count++] = at;
    }
    return true;
}

static bool know(struct lq_lower *low, struct lq_constant_ints *out)
{
    switch (low->op->builtin) {
    case LQ_OP_SHAPE:
        return know_shape(low, out);
    case LQ_OP_RANK:
        return know_rank(low, out);
    case LQ_OP_STRIDED_SLICE:
        return know_strided_slice(low, out);
    case LQ_OP_CONCATENATION:
    case LQ_OP_PACK:
        return know_joined(low, out);
    case LQ_OP_CAST:
    case LQ_OP_RESHAPE:
    case LQ_OP_SQUEEZE:
    case LQ_OP_EXPAND_DIMS:
        return know_same(low, out);
    case LQ_OP_GATHER:
        return know_gather(low, out);
    case LQ_OP_ADD:
    case LQ_OP_SUB:
    case LQ_OP_MUL:
    case LQ_OP_DIV:
    case LQ_OP_FLOOR_DIV:
    case LQ_OP_MAXIMUM:
    case LQ_OP_MINIMUM:
    case LQ_OP_LESS:
    case LQ_OP_LESS_EQUAL:
    case LQ_OP_GREATER:
    case LQ_OP_GREATER_EQUAL:
    case LQ_OP_EQUAL:
    case LQ_OP_NOT_EQUAL:
    case LQ_OP_LOGICAL_AND:
    case LQ_OP_LOGICAL_OR:
        return know_arithmetic(low, out);
    case LQ_OP_REDUCE_PROD:
        return know_product(low, out);
    case LQ_OP_RANGE:
        return know_range(low, out);
    default:
        return false;
    }
}

static bool fold_integers(struct lq_lower *low)
{
    int tensor = lq_lower_output(low, 0);
    if (tensor < 0 || low->op->outputs.count != 1)
        return false;
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    struct lq_constant_ints known = {0};
    bool truth = about->type == LQ_TFLITE_BOOL;
    if (about->rank > 1 ||
        (about->type != LQ_TFLITE_I32 && about->type != LQ_TFLITE_I64 && !truth) ||
        !know(low, &known) || (about->rank == 0 && known.count != 1))
        return false;
    for (int i = 0; truth && i < known.count; i++)
        known.at[i] = known.at[i] != 0;
    struct lq_constant_ints *kept = lq_graph_take(low->graph, sizeof *kept);
    if (!kept)
        return false;
    *kept = known;
    low->slots[tensor].known = kept;
    for (int i = 0; i < known.count; i++)
        if (!known.some[i])
            return false; // a node is written too, for operators that need all of the tensor
    size_t size = truth ? 1 : about->type == LQ_TFLITE_I32 ? 4 : 8;
    uint8_t *data = lq_graph_take(low->graph, (size_t)known.count * size + 1);
    for (int i = 0; data && i < known.count; i++) {
        int32_t narrow = (int32_t)known.at[i];
        if (truth)
            data[i] = (uint8_t)known.at[i];
        else
            memcpy(data + (size_t)i * size, size == 4 ? (void *)&narrow : (void *)&known.at[i],
                   size);
    }
    struct lq_shape shape = {about->rank, {known.count}};
    lq_set_constant(low, tensor, data, &shape);
    return true;
}

// ---- constants with other axes

static bool same_numbers(const struct lq_lower *low, int a, int b)
{
    const struct lq_tflite_tensor *x = lq_lower_tensor(low, a), *y = lq_lower_tensor(low, b);
    return x->type == y->type && x->scale_count == 0 && y->scale_count == 0;
}

static bool fold_transpose(struct lq_lower *low, int from, int to)
{
    int64_t perm[LQ_RANK_MAX];
    struct lq_axes order = {.rank = lq_lower_rank(low, from)};
    if (!same_numbers(low, from, to) ||
        lq_ints_of(low, lq_lower_input(low, 1), perm, LQ_RANK_MAX) != order.rank)
        return false;
    unsigned seen = 0;
    struct lq_shape shape = {.rank = order.rank};
    for (int i = 0; i < order.rank; i++) {
        if (perm[i] < 0 || perm[i] >= order.rank)
            return false;
        seen |= 1u << perm[i];
        order.axis[i] = (uint8_t)perm[i];
        shape.dims[i] = low->slots[from].shape.dims[perm[i]];
    }
    if (seen != (1u << order.rank) - 1)
        return false;
    lq_set_constant(low, to, lq_stored_constant(low, from, order), &shape);
    return true;
}

static bool fold_reshape(struct lq_lower *low, int from, int to)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, to);
    struct lq_shape shape = lq_shape_of(about->rank, about->dims);
    if (!same_numbers(low, from, to) ||
        lq_shape_items(&shape) != lq_shape_items(&low->slots[from].shape))
        return false;
    struct lq_axes plain = lq_layout_plain(lq_lower_rank(low, from));
    lq_set_constant(low, to, lq_stored_constant(low, from, plain), &shape);
    return true;
}

static bool fold_constant(struct lq_lower *low)
{
    int from = lq_lower_input(low, 0), to = lq_lower_output(low, 0);
    if (to < 0 || !lq_is_constant(low, from))
        return false;
    switch (low->op->builtin) {
    case LQ_OP_DEQUANTIZE:
        if (lq_lower_stored_type(low, to) != LQ_ONNX_F32)
            return false;
        lq_set_dequantised(low, to, from);
        return true;
    case LQ_OP_TRANSPOSE:
        return fold_transpose(low, from, to);
    case LQ_OP_RESHAPE:
    case LQ_OP_SQUEEZE:
    case LQ_OP_EXPAND_DIMS:
        return fold_reshape(low, from, to);
    default:
        return false;
    }
}

bool lq_fold(struct lq_lower *low)
{
    return fold_constant(low) || fold_integers(low);
}
