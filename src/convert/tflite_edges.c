#include "convert/tflite_edges.h"

#include "format/tflite_ops.h"

static bool are_colours(int64_t channels)
{
    return channels == 1 || channels == 3 || channels == 4;
}

// Whether an operator keeps the axes: it only changes its input's type, or pads it.
static bool keeps_axes(int builtin)
{
    return builtin == LQ_OP_QUANTIZE || builtin == LQ_OP_DEQUANTIZE || builtin == LQ_OP_CAST ||
           builtin == LQ_OP_PAD || builtin == LQ_OP_PADV2;
}

// Whether the operator transposes N, C, H, W to N, H, W, C.
static bool moves_channels_last(const struct lq_tflite *model, const struct lq_tflite_op *op)
{
    static const int32_t wanted[] = {0, 2, 3, 1};
    int tensor = op->inputs.count == 2 ? lq_flat_int(op->inputs, 1) : -1;
    if (op->builtin != LQ_OP_TRANSPOSE || tensor < 0)
        return false;
    const struct lq_tflite_tensor *perm = &model->tensors[tensor];
    bool same = perm->type == LQ_TFLITE_I32 && perm->data && perm->bytes == sizeof wanted;
    for (size_t i = 0; same && i < LQ_COUNT(wanted); i++)
        same = perm->data[4 * i] == wanted[i]; // little-endian; all values are below 256
    return same;
}

// Whether all users of the tensor transpose its channels to the end. `steps` limits the search.
static bool is_moved(const struct lq_tflite *model, int tensor, int steps)
{
    int users = 0, moving = 0;
    for (int i = 0; i < model->op_count; i++) {
        const struct lq_tflite_op *op = &model->ops[i];
        if (op->inputs.count == 0 || lq_flat_int(op->inputs, 0) != tensor)
            continue;
        users++;
        bool follow = keeps_axes(op->builtin) && op->outputs.count == 1 && steps > 0;
        moving += moves_channels_last(model, op) ||
                   (follow && is_moved(model, lq_flat_int(op->outputs, 0), steps - 1));
    }
    return users > 0 && users == moving;
}

bool lq_tflite_channels_last(const struct lq_tflite *model, int tensor)
{
    const struct lq_tflite_tensor *about = &model->tensors[tensor];
    if (about->rank != 4)
        return false;
    bool first = are_colours(about->dims[1]), last = are_colours(about->dims[3]);
    return first != last ? last : !is_moved(model, tensor, 2);
}
