// The lowest layer of lowering: access to tensors and to the current operator, and axis orders.
#include <string.h>

#include "convert/lower.h"

// ---- queries of the lowering functions

bool lq_lower_need(struct lq_lower *low, bool fine, const char *what)
{
    if (!fine)
        lq_graph_fail(low->graph, LQ_ERR_MODEL, "%s", what);
    return fine && low->graph->status == LQ_OK;
}

int lq_lower_input(const struct lq_lower *low, int i)
{
    return i < low->op->inputs.count ? lq_flat_int(low->op->inputs, i) : -1;
}

int lq_lower_output(const struct lq_lower *low, int i)
{
    return i < low->op->outputs.count ? lq_flat_int(low->op->outputs, i) : -1;
}

int32_t lq_lower_option(const struct lq_lower *low, unsigned field, int32_t otherwise)
{
    return lq_tflite_option(low->model, low->op, field, otherwise);
}

int lq_lower_byte(const struct lq_lower *low, unsigned field, int otherwise)
{
    return lq_tflite_option_byte(low->model, low->op, field, otherwise);
}

const struct lq_tflite_tensor *lq_lower_tensor(const struct lq_lower *low, int tensor)
{
    return &low->model->tensors[tensor];
}

struct lq_shape lq_lower_shape(const struct lq_lower *low, int tensor)
{
    return tensor < 0 ? (struct lq_shape){0} : low->slots[tensor].shape;
}

int lq_lower_rank(const struct lq_lower *low, int tensor)
{
    return tensor < 0 ? 0 : low->slots[tensor].shape.rank;
}

bool lq_lower_quantised(const struct lq_lower *low, int tensor)
{
    if (tensor < 0)
        return false;
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    return about->scale_count > 0 && (about->type == LQ_TFLITE_I8 || about->type == LQ_TFLITE_U8 ||
                                      about->type == LQ_TFLITE_I16);
}

enum lq_onnx_type lq_lower_stored_type(const struct lq_lower *low, int tensor)
{
    switch (lq_lower_tensor(low, tensor)->type) {
    case LQ_TFLITE_F32:
        return LQ_ONNX_F32;
    case LQ_TFLITE_F16:
        return LQ_ONNX_F16;
    case LQ_TFLITE_I32:
        return LQ_ONNX_I32;
    case LQ_TFLITE_U8:
        return LQ_ONNX_U8;
    case LQ_TFLITE_I64:
        return LQ_ONNX_I64;
    case LQ_TFLITE_BOOL:
        return LQ_ONNX_BOOL;
    case LQ_TFLITE_I16:
        return LQ_ONNX_I16;
    case LQ_TFLITE_I8:
        return LQ_ONNX_I8;
    case LQ_TFLITE_F64:
        return LQ_ONNX_F64;
    default:
        return LQ_ONNX_NONE;
    }
}

enum lq_onnx_type lq_lower_real_type(const struct lq_lower *low, int tensor)
{
    enum lq_onnx_type type = lq_lower_stored_type(low, tensor);
    return type == LQ_ONNX_F16 || lq_lower_quantised(low, tensor) ? LQ_ONNX_F32 : type;
}

int lq_sole_user(const struct lq_lower *low, int tensor)
{
    return low->slots[tensor].users == 1 ? low->slots[tensor].user : -1;
}

// ---- orders

bool lq_layout_equal(struct lq_axes a, struct lq_axes b)
{
    return a.rank == b.rank && memcmp(a.axis, b.axis, (size_t)a.rank) == 0;
}

bool lq_layout_is_plain(struct lq_axes order)
{
    return lq_layout_equal(order, lq_layout_plain(order.rank));
}

int lq_layout_place(struct lq_axes order, int axis)
{
    for (int i = 0; i < order.rank; i++)
        if (order.axis[i] == axis)
            return i;
    return 0;
}

void lq_layout_ints(struct lq_axes order, const int64_t *plain, int64_t *stored)
{
    for (int i = 0; i < order.rank; i++)
        stored[i] = plain[order.axis[i]];
}

struct lq_axes lq_layout_without(struct lq_axes order, unsigned gone)
{
    struct lq_axes made = {0};
    for (int i = 0; i < order.rank; i++) {
        int axis = order.axis[i];
        if (!(gone >> axis & 1))
            made.axis[made.rank++] =
                (uint8_t)(axis - __builtin_popcount(gone & ((1u << axis) - 1)));
    }
    return made;
}
