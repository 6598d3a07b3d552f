// Constants of the model: in another axis order, as real numbers, as small integers.
#include <stdlib.h>
#include <string.h>

#include "convert/lower.h"
#include "engine/f16.h"

bool lq_is_constant(const struct lq_lower *low, int tensor)
{
    return tensor >= 0 && (low->slots[tensor].data || low->slots[tensor].dequantised_of >= 0);
}

// ---- reordering

// Copies one item of `size` bytes. The sizes are those of our types, so each copy is one
// instruction.
static inline void copy_item(uint8_t *to, const uint8_t *from, size_t size)
{
    switch (size) {
    case 1:
        *to = *from;
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    default:
        memcpy(to, from, 8);
        break;
    }
}

static void reorder(uint8_t *to, const uint8_t *from, const struct lq_shape *shape,
                    struct lq_axes order, size_t size)
{
    int rank = shape->rank, inner = rank - 1;
    size_t stride[LQ_RANK_MAX], plain[LQ_RANK_MAX], step = size;
    for (int i = rank - 1; i >= 0; i--) {
        plain[i] = step;
        step *= (size_t)shape->dims[i];
    }
    for (int i = 0; i < rank; i++)
        stride[i] = plain[order.axis[i]];
    size_t count[LQ_RANK_MAX] = {0}, at = 0, runs = step / size;
    if (runs == 0)
        return;
    size_t length = (size_t)shape->dims[order.axis[inner]];
    for (runs /= length; runs > 0; runs--) {
        for (size_t i = 0; i < length; i++, to += size)
            copy_item(to, from + at + i * stride[inner], size);
        for (int i = inner - 1; i >= 0; i--) {
            at += stride[i];
            if (++count[i] < (size_t)shape->dims[order.axis[i]])
                break;
            at -= count[i] * stride[i];
            count[i] = 0;
        }
    }
}

// ---- real numbers

static double stored_number(const uint8_t *at, int type)
{
    union { int16_t i16; int32_t i32; int64_t i64; float f32; double f64; } u;
    switch (type) {
    case LQ_TFLITE_I8:
        return (int8_t)*at;
    case LQ_TFLITE_U8:
    case LQ_TFLITE_BOOL:
        return *at;
    case LQ_TFLITE_I16:
        memcpy(&u, at, 2);
        return u.i16;
    case LQ_TFLITE_F16:
        lq_f16_to_f32(&u.f32, at, 1);
        return (double)u.f32;
    case LQ_TFLITE_I32:
        memcpy(&u, at, 4);
        return u.i32;
    case LQ_TFLITE_F32:
        memcpy(&u, at, 4);
        return (double)u.f32;
    case LQ_TFLITE_F64:
        memcpy(&u, at, 8);
        return u.f64;
    default:
        memcpy(&u, at, 8);
        return (double)u.i64;
    }
}

// The same for integers, not all of which a double can represent.
static int64_t stored_integer(const uint8_t *at, int type)
{
    union { int32_t i32; int64_t i64; } u;
    if (type == LQ_TFLITE_BOOL)
        return *at;
    memcpy(&u, at, type == LQ_TFLITE_I32 ? 4 : 8);
    return type == LQ_TFLITE_I32 ? u.i32 : u.i64;
}

// (stored - zero) * scale, in float32 as the TFLite runtime does it.
static void dequantise(float *to, const uint8_t *from, const struct lq_tflite_tensor *about,
                       size_t count, size_t item, size_t inner)
{
    for (size_t i = 0; i < count; i++) {
        int channel = about->scale_count > 1 ? (int)(i / inner % (size_t)about->scale_count) : 0;
        double number = stored_number(from + i * item, about->type);
        to[i] = about->scale_count
                    ? (float)(number - (double)lq_tflite_zero(about, channel)) *
                          lq_tflite_scale(about, channel)
                    : (float)number;
    }
}

static size_t constant_items(const struct lq_lower *low, int tensor)
{
    return (size_t)lq_shape_items(&low->slots[tensor].shape);
}

const void *lq_stored_constant(struct lq_lower *low, int tensor, struct lq_axes order)
{
    const struct lq_tensor_state *slot = &low->slots[tensor];
    if (slot->dequantised_of >= 0)
        return lq_real_constant(low, slot->dequantised_of, order);
    if (lq_layout_is_plain(order))
        return slot->data;
    size_t size = lq_onnx_bytes(lq_lower_stored_type(low, tensor));
    size_t items = constant_items(low, tensor);
    uint8_t *made = lq_graph_take(low->graph, items * size + 1);
    if (made)
        reorder(made, slot->data, &slot->shape, order, size);
    return made;
}

float *lq_real_constant(struct lq_lower *low, int tensor, struct lq_axes order)
{
    const struct lq_tensor_state *slot = &low->slots[tensor];
    if (slot->dequantised_of >= 0)
        return lq_real_constant(low, slot->dequantised_of, order);
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    size_t size = lq_onnx_bytes(lq_lower_stored_type(low, tensor));
    size_t items = constant_items(low, tensor), inner = 1;
    float *made = lq_graph_take(low->graph, items * sizeof *made + 1);
    if (!made)
        return NULL;
    if (about->scale_count > 1) {
        bool fits = about->scale_axis >= 0 && about->scale_axis < order.rank &&
                    slot->shape.dims[about->scale_axis] == about->scale_count;
        if (!lq_lower_need(low, fits, "a constant's scales do not fit its shape"))
            return NULL;
        for (int i = lq_layout_place(order, about->scale_axis) + 1; i < order.rank; i++)
            inner *= (size_t)slot->shape.dims[order.axis[i]];
    }
    const uint8_t *from = slot->data;
    uint8_t *reordered = NULL;
    if (!lq_layout_is_plain(order)) {
        reordered = malloc(items * size + 1);
        if (!reordered) {
            lq_graph_fail(low->graph, LQ_ERR_MEMORY, "out of memory for weights");
            return NULL;
        }
        reorder(reordered, from, &slot->shape, order, size);
        from = reordered;
    }
    if (about->type == LQ_TFLITE_F16)
        lq_f16_to_f32(made, from, items);
    else if (about->type == LQ_TFLITE_F32)
        memcpy(made, from, items * sizeof *made);
    else
        dequantise(made, from, about, items, size, inner);
    free(reordered);
    return made;
}

bool lq_constant_number(struct lq_lower *low, int tensor, double *value)
{
    if (!lq_is_constant(low, tensor) || constant_items(low, tensor) == 0 ||
        constant_items(low, tensor) > LQ_CONSTANT_INTS_MAX)
        return false;
    int rank = lq_lower_rank(low, tensor);
    const float *numbers = lq_real_constant(low, tensor, lq_layout_plain(rank));
    for (size_t i = 1; numbers && i < constant_items(low, tensor); i++)
        if (numbers[i] != numbers[0])
            return false;
    if (numbers)
        *value = (double)numbers[0];
    return numbers != NULL;
}

// ---- small integers

const struct lq_constant_ints *lq_constant_ints_of(struct lq_lower *low, int tensor)
{
    if (tensor < 0)
        return NULL;
    struct lq_tensor_state *slot = &low->slots[tensor];
    int type = lq_lower_tensor(low, tensor)->type;
    bool truth = type == LQ_TFLITE_BOOL;
    if (slot->known || !slot->data || (type != LQ_TFLITE_I32 && type != LQ_TFLITE_I64 && !truth))
        return slot->known;
    size_t items = constant_items(low, tensor), size = truth ? 1 : type == LQ_TFLITE_I32 ? 4 : 8;
    if (items > LQ_CONSTANT_INTS_MAX)
        return NULL;
    struct lq_constant_ints *known = lq_graph_take(low->graph, sizeof *known);
    if (!known)
        return NULL;
    known->count = (int)items;
    for (size_t i = 0; i < items; i++) {
        known->some[i] = true;
        known->at[i] = stored_integer((const uint8_t *)slot->data + i * size, type);
    }
    slot->known = known;
    return known;
}

int lq_ints_of(struct lq_lower *low, int tensor, int64_t *out, int max)
{
    const struct lq_constant_ints *known = lq_constant_ints_of(low, tensor);
    if (!known || known->count > max)
        return -1;
    for (int i = 0; i < known->count; i++) {
        if (!known->some[i])
            return -1;
        // No valid axis, size or offset exceeds 32 bits; later arithmetic relies on this.
        out[i] = known->at[i] > INT32_MAX ? INT32_MAX
                 : known->at[i] < -INT32_MAX ? -INT32_MAX : known->at[i];
    }
    return known->count;
}
