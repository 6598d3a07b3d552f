// CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV, merged with adjacent operators that are really
// part of them: zero padding before, a dilation written as SPACE_TO_BATCH_ND and back, and the
// scale and shift left by a batch normalisation.
//
// TFLite's weights are [out, h, w, in] (depthwise [1, h, w, out]), ONNX's [out, in / group, h, w];
// a transposed convolution's [out, h, w, in] and [in, out, h, w].
#include <string.h>

#include "convert/lower.h"
#include "format/tflite_ops.h"

enum { PADDING_SAME = 0 };

struct conv {
    const char *op;
    int x, weights, bias; // tensors; bias may be -1
    int output;
    int activation;
    struct lq_axes weights_order; // the order that ONNX needs
    int channel_axis;              // of the weights: the output's channels
    int64_t group;
    int64_t kernel[2], strides[2], dilations[2];
    int64_t pads[4]; // top, left, bottom, right
    int64_t output_padding[2];
    bool auto_pad;   // SAME padding of sizes that are not known yet
    float *scale, *shift; // a value for each output channel; NULL: none
};

// ---- operators before the convolution

static bool is_zero(struct lq_lower *low, const struct lq_tflite_op *op)
{
    double value;
    return op->inputs.count < 3 || (lq_constant_number(low, lq_flat_int(op->inputs, 2), &value) &&
                                    value == 0);
}

// Merges a PAD of zeros in height and width into the convolution's padding.
static void merge_padding(struct lq_lower *low, struct conv *conv)
{
    int maker = low->slots[conv->x].maker;
    if (maker < 0 || conv->auto_pad)
        return;
    const struct lq_tflite_op *op = &low->model->ops[maker];
    int64_t pads[8];
    if ((op->builtin != LQ_OP_PAD && op->builtin != LQ_OP_PADV2) || op->inputs.count < 2)
        return;
    int source = lq_flat_int(op->inputs, 0);
    if (source < 0 || lq_ints_of(low, lq_flat_int(op->inputs, 1), pads, 8) != 8 ||
        !is_zero(low, op))
        return;
    for (int i = 0; i < 8; i++)
        if (pads[i] < 0 || (pads[i] > 0 && (i < 2 || i > 5)))
            return;
    for (int i = 0; i < 2; i++) {
        conv->pads[i] += pads[2 + 2 * i];
        conv->pads[i + 2] += pads[3 + 2 * i];
    }
    conv->x = source;
}

// ---- operators after the convolution

static const struct lq_tflite_op *next_op(const struct lq_lower *low, const struct conv *conv,
                                          int *index)
{
    *index = conv->activation == 0 ? lq_sole_user(low, conv->output) : -1;
    return *index < 0 || low->absorbed[*index] ? NULL : &low->model->ops[*index];
}

// Merges SPACE_TO_BATCH_ND, a convolution without padding and BATCH_TO_SPACE_ND into a dilated
// convolution.
static void merge_dilation(struct lq_lower *low, struct conv *conv)
{
    int maker = low->slots[conv->x].maker, user = lq_sole_user(low, conv->output);
    if (maker < 0 || user < 0 || low->absorbed[user])
        return;
    const struct lq_tflite_op *before = &low->model->ops[maker], *after = &low->model->ops[user];
    int64_t block[2], blocks_after[2], pads[4], crops[4];
    if (before->builtin != LQ_OP_SPACE_TO_BATCH_ND || after->builtin != LQ_OP_BATCH_TO_SPACE_ND ||
        before->inputs.count < 3 || after->inputs.count < 3 || after->outputs.count < 1 ||
        lq_ints_of(low, lq_flat_int(before->inputs, 1), block, 2) != 2 ||
        lq_ints_of(low, lq_flat_int(after->inputs, 1), blocks_after, 2) != 2 ||
        lq_ints_of(low, lq_flat_int(before->inputs, 2), pads, 4) != 4 ||
        lq_ints_of(low, lq_flat_int(after->inputs, 2), crops, 4) != 4)
        return;
    int source = lq_flat_int(before->inputs, 0);
    bool fits = source >= 0 && block[0] == blocks_after[0] && block[1] == blocks_after[1] &&
                !conv->auto_pad;
    for (int i = 0; i < 2; i++)
        fits = fits && conv->strides[i] == 1 && conv->dilations[i] == 1 && block[i] > 0 &&
               conv->pads[i] == 0 && conv->pads[i + 2] == 0 && crops[2 * i] >= 0 &&
               pads[2 * i] >= crops[2 * i] && crops[2 * i + 1] >= 0 &&
               pads[2 * i + 1] >= crops[2 * i + 1];
    if (!fits)
        return;
    for (int i = 0; i < 2; i++) {
        conv->dilations[i] = block[i];
        conv->pads[i] = pads[2 * i] - crops[2 * i];
        conv->pads[i + 2] = pads[2 * i + 1] - crops[2 * i + 1];
    }
    low->absorbed[user] = true;
    conv->x = source;
    conv->output = lq_flat_int(after->outputs, 0);
}

// Returns a constant that has one number, or one per channel (its last axis).
static const float *channel_constant(struct lq_lower *low, int tensor, int64_t channels, int *step)
{
    if (!lq_is_constant(low, tensor) || lq_lower_real_type(low, tensor) != LQ_ONNX_F32 ||
        lq_lower_rank(low, tensor) > 4)
        return NULL;
    struct lq_shape shape = low->slots[tensor].shape;
    int64_t items = lq_shape_items(&shape);
    if (items != 1 && (items != channels || shape.dims[shape.rank - 1] != channels))
        return NULL;
    *step = items != 1;
    return lq_real_constant(low, tensor, lq_layout_plain(shape.rank));
}

static void scale_and_shift(struct conv *conv, int builtin, int64_t channels, const float *with,
                            int step)
{
    for (int64_t i = 0; i < channels; i++) {
        float value = with[i * step];
        if (builtin == LQ_OP_MUL || builtin == LQ_OP_DIV) {
            float factor = builtin == LQ_OP_MUL ? value : 1 / value;
            conv->scale[i] *= factor;
            conv->shift[i] *= factor;
        } else {
            conv->shift[i] += builtin == LQ_OP_ADD ? value : -value;
        }
    }
}

// Merges MUL, ADD, SUB and DIV by constants with one number per channel.
static void merge_normalisation(struct lq_lower *low, struct conv *conv, int64_t channels)
{
    if (lq_lower_quantised(low, conv->output) || !lq_is_constant(low, conv->weights) ||
        (conv->bias >= 0 && !lq_is_constant(low, conv->bias)) || channels < 1)
        return;
    int index, step;
    for (const struct lq_tflite_op *op; (op = next_op(low, conv, &index));) {
        bool swaps = op->builtin == LQ_OP_ADD || op->builtin == LQ_OP_MUL;
        if ((!swaps && op->builtin != LQ_OP_SUB && op->builtin != LQ_OP_DIV) ||
            op->inputs.count != 2 || op->outputs.count != 1)
            return;
        int a = lq_flat_int(op->inputs, 0), b = lq_flat_int(op->inputs, 1);
        int other = a == conv->output ? b : swaps ? a : -1;
        const float *with = channel_constant(low, other, channels, &step);
        if (!with)
            return;
        if (!conv->scale) {
            conv->scale = lq_graph_take(low->graph, (size_t)channels * sizeof(float));
            conv->shift = lq_graph_take(low->graph, (size_t)channels * sizeof(float));
            for (int64_t i = 0; conv->shift && i < channels; i++)
                conv->scale[i] = 1;
        }
        if (low->graph->status != LQ_OK)
            return;
        scale_and_shift(conv, op->builtin, channels, with, step);
        low->absorbed[index] = true;
        conv->output = lq_flat_int(op->outputs, 0);
        conv->activation = lq_tflite_option_byte(low->model, op, 0, 0);
    }
}

// ---- weights and bias

static bool both_quantised(const struct lq_lower *low, const struct conv *conv)
{
    return lq_lower_quantised(low, conv->x) && lq_lower_quantised(low, conv->weights);
}

static struct lq_value *weights_value(struct lq_lower *low, const struct conv *conv)
{
    if (both_quantised(low, conv))
        return lq_get(low, conv->weights, conv->weights_order);
    struct lq_value *value = lq_get_folded(low, conv->weights, conv->weights_order);
    if (!conv->scale || low->graph->status != LQ_OK)
        return value;
    int64_t items = lq_shape_items(&value->shape), inner = 1;
    float *scaled = lq_graph_take(low->graph, (size_t)items * sizeof *scaled);
    if (!scaled)
        return value;
    memcpy(scaled, value->data, (size_t)items * sizeof *scaled);
    int place = lq_layout_place(conv->weights_order, conv->channel_axis);
    for (int i = place + 1; i < value->shape.rank; i++)
        inner *= value->shape.dims[i];
    for (int64_t i = 0; i < items; i++)
        scaled[i] *= conv->scale[i / inner % value->shape.dims[place]];
    return lq_graph_constant(low->graph, LQ_ONNX_F32, &value->shape, scaled);
}

// The 64-bit bias of an int16 product, which DequantizeLinear does not accept: computed now.
static struct lq_value *wide_bias(struct lq_lower *low, int bias, int x, int weights)
{
    const struct lq_tflite_tensor *in = lq_lower_tensor(low, x), *w = lq_lower_tensor(low, weights);
    struct lq_shape shape = low->slots[bias].shape;
    int64_t count = lq_shape_items(&shape);
    if (!lq_lower_need(low, lq_is_constant(low, bias) && shape.rank == 1 &&
                                (w->scale_count == 1 || w->scale_count == count),
                       "its bias is not a constant with one number per channel"))
        return &low->graph->nothing;
    const uint8_t *stored = low->slots[bias].data;
    float *made = lq_graph_take(low->graph, (size_t)count * sizeof *made);
    for (int64_t i = 0; made && i < count; i++) {
        int64_t number;
        memcpy(&number, stored + 8 * i, sizeof number);
        double scale = (double)lq_tflite_scale(in, 0) * (double)lq_tflite_scale(w, (int)i);
        made[i] = (float)((double)number * scale);
    }
    return made ? lq_graph_constant(low->graph, LQ_ONNX_F32, &shape, made) : &low->graph->nothing;
}

struct lq_value *lq_bias_value(struct lq_lower *low, int bias, int x, int weights)
{
    if (lq_lower_stored_type(low, bias) == LQ_ONNX_I64)
        return wide_bias(low, bias, x, weights);
    // The scale of a quantised bias is the input's scale times that of the weights, whatever the
    // file says.
    const struct lq_tflite_tensor *in = lq_lower_tensor(low, x), *w = lq_lower_tensor(low, weights);
    int count = w->scale_count;
    struct lq_shape shape = {count > 1, {count}};
    float *scales = lq_graph_take(low->graph, (size_t)count * sizeof *scales);
    int32_t *zeros = lq_graph_take(low->graph, (size_t)count * sizeof *zeros);
    struct lq_value *stored = lq_get_stored(low, bias);
    if (!scales || !zeros || low->graph->status != LQ_OK ||
        !lq_lower_need(low, stored->type == LQ_ONNX_I32,
                       "its bias is of neither 32-bit nor 64-bit integers"))
        return &low->graph->nothing;
    for (int i = 0; i < count; i++)
        scales[i] = lq_tflite_scale(in, 0) * lq_tflite_scale(w, i);
    return lq_graph_add(low->graph, "DequantizeLinear",
                        LQ_INPUTS(stored, lq_graph_constant(low->graph, LQ_ONNX_F32, &shape,
                                                            scales),
                                  lq_graph_constant(low->graph, LQ_ONNX_I32, &shape, zeros)),
                        LQ_ATTRS(lq_int("axis", 0)));
}

static struct lq_value *bias_value(struct lq_lower *low, const struct conv *conv, int64_t channels)
{
    if (conv->bias >= 0 && both_quantised(low, conv))
        return lq_bias_value(low, conv->bias, conv->x, conv->weights);
    if (conv->bias < 0 && !conv->shift)
        return &low->graph->nothing;
    struct lq_value *value =
        conv->bias < 0 ? NULL : lq_get_folded(low, conv->bias, lq_layout_plain(1));
    if (!conv->shift || low->graph->status != LQ_OK)
        return value ? value : &low->graph->nothing;
    if (value && !lq_lower_need(low, lq_shape_items(&value->shape) == channels,
                                "its bias must have one number per channel"))
        return value;
    float *shifted = lq_graph_take(low->graph, (size_t)channels * sizeof *shifted);
    if (!shifted)
        return &low->graph->nothing;
    if (value)
        memcpy(shifted, value->data, (size_t)channels * sizeof *shifted);
    for (int64_t i = 0; i < channels; i++)
        shifted[i] = shifted[i] * conv->scale[i] + conv->shift[i];
    return lq_graph_constant(low->graph, LQ_ONNX_F32, &(struct lq_shape){1, {channels}}, shifted);
}

// ---- writing it

static void finish(struct lq_lower *low, const struct conv *conv, struct lq_value *y,
                   struct lq_axes order)
{
    if (!lq_clip_is_free(low, conv->output, conv->activation))
        y = lq_activate(low, y, conv->activation);
    lq_set(low, conv->output, y, order);
}

// A 1x1 convolution of axes in an unusual order is a matrix product, which needs no Transpose.
static bool as_product(struct lq_lower *low, struct conv *conv, int64_t channels)
{
    struct lq_axes order = lq_layout_common(low, &conv->x, 1);
    bool plain = conv->group == 1 && strcmp(conv->op, "Conv") == 0 && !conv->auto_pad &&
                 lq_is_constant(low, conv->weights) && order.rank == 4;
    for (int i = 0; i < 2; i++)
        plain = plain && conv->kernel[i] == 1 && conv->strides[i] == 1 && conv->pads[i] == 0 &&
                conv->pads[i + 2] == 0;
    int place = lq_layout_place(order, 3);
    if (!plain || place < 2 || lq_layout_is_plain(order))
        return false;
    if (place == 3)
        conv->weights_order = (struct lq_axes){4, {3, 0, 1, 2}};
    struct lq_value *x = lq_get(low, conv->x, order), *w = weights_value(low, conv);
    struct lq_value *bias = bias_value(low, conv, channels);
    w = lq_reshaped(low, w, w->shape.dims, 2);
    struct lq_value *y =
        lq_graph_add(low->graph, "MatMul", place == 3 ? LQ_INPUTS(x, w) : LQ_INPUTS(w, x),
                     LQ_NO_ATTRS);
    if (bias->type != LQ_ONNX_NONE) {
        if (place == 2)
            bias = lq_reshaped(low, bias, (int64_t[]){channels, 1}, 2);
        y = lq_graph_add(low->graph, "Add", LQ_INPUTS(y, bias), LQ_NO_ATTRS);
    }
    finish(low, conv, y, order);
    return true;
}

static void write(struct lq_lower *low, struct conv *conv, int64_t channels)
{
    if (as_product(low, conv, channels))
        return;
    struct lq_axes order = lq_layout_channels_first(4);
    struct lq_value *x = lq_get(low, conv->x, order), *w = weights_value(low, conv);
    struct lq_value *bias = bias_value(low, conv, channels);
    bool transposed = strcmp(conv->op, "ConvTranspose") == 0;
    struct lq_attr attrs[] = {
        lq_ints("kernel_shape", conv->kernel, 2),
        lq_ints("strides", conv->strides, 2),
        lq_ints("dilations", conv->dilations, 2),
        lq_int("group", conv->group),
        conv->auto_pad ? lq_text("auto_pad", "SAME_UPPER") : lq_ints("pads", conv->pads, 4),
        transposed ? lq_ints("output_padding", conv->output_padding, 2) : (struct lq_attr){0},
        {0},
    };
    struct lq_value *y = lq_graph_add(
        low->graph, conv->op,
        bias->type == LQ_ONNX_NONE ? LQ_INPUTS(x, w) : LQ_INPUTS(x, w, bias), attrs);
    finish(low, conv, y, order);
}

// ---- the three operators

// Checks that the sizes cannot overflow arithmetic on them.
static bool sensible(struct lq_lower *low, const struct conv *conv)
{
    bool fine = true;
    for (int i = 0; i < 2; i++)
        fine = fine && conv->strides[i] > 0 && conv->strides[i] < 65536 && conv->dilations[i] > 0 &&
               conv->dilations[i] < 65536 && conv->kernel[i] > 0 && conv->kernel[i] < 65536;
    return lq_lower_need(low, fine, "its kernel, strides or dilations are invalid");
}

static void pad_same(const struct lq_lower *low, struct conv *conv)
{
    const struct lq_shape *shape = &low->slots[conv->x].shape;
    for (int i = 0; i < 2; i++) {
        int64_t size = shape->dims[1 + i], stride = conv->strides[i];
        int64_t reach = (conv->kernel[i] - 1) * conv->dilations[i] + 1;
        if (size < 0 && stride > 1)
            conv->auto_pad = true;
        int64_t steps = size < 0 ? 0 : (size + stride - 1) / stride - 1;
        int64_t total = size < 0 ? reach - 1 : steps * stride + reach - size;
        total = total < 0 ? 0 : total;
        conv->pads[i] = total / 2;
        conv->pads[i + 2] = total - total / 2;
    }
}

static bool ready(struct lq_lower *low, int x, int weights)
{
    return lq_lower_need(low, x >= 0 && weights >= 0 && low->slots[x].made &&
                                  low->slots[weights].made && lq_lower_rank(low, x) == 4 &&
                                  lq_lower_rank(low, weights) == 4,
                         "its input and weights must have four dimensions each");
}

static void lower(struct lq_lower *low, struct conv *conv, int64_t channels, int padding)
{
    if (!sensible(low, conv) ||
        !lq_lower_need(low, conv->output >= 0, "one of its outputs is missing"))
        return;
    if (padding == PADDING_SAME)
        pad_same(low, conv);
    merge_padding(low, conv);
    merge_dilation(low, conv);
    merge_normalisation(low, conv, channels);
    if (low->graph->status == LQ_OK)
        write(low, conv, channels);
}

void lq_lower_conv(struct lq_lower *low)
{
    int x = lq_lower_input(low, 0), weights = lq_lower_input(low, 1);
    if (!ready(low, x, weights))
        return;
    const int64_t *w = low->slots[weights].shape.dims, *in = low->slots[x].shape.dims;
    struct conv conv = {
        .op = "Conv", .x = x, .weights = weights, .bias = lq_lower_input(low, 2),
        .output = lq_lower_output(low, 0), .activation = lq_lower_byte(low, 3, 0),
        .weights_order = {4, {0, 3, 1, 2}}, .channel_axis = 0, .kernel = {w[1], w[2]},
        .strides = {lq_lower_option(low, 2, 1), lq_lower_option(low, 1, 1)},
        .dilations = {lq_lower_option(low, 5, 1), lq_lower_option(low, 4, 1)},
        .group = in[3] > 0 && w[3] > 0 && in[3] % w[3] == 0 ? in[3] / w[3] : 1,
    };
    lower(low, &conv, w[0], lq_lower_byte(low, 0, 0));
}

void lq_lower_depthwise(struct lq_lower *low)
{
    int x = lq_lower_input(low, 0), weights = lq_lower_input(low, 1);
    if (!ready(low, x, weights))
        return;
    const int64_t *w = low->slots[weights].shape.dims, *in = low->slots[x].shape.dims;
    if (!lq_lower_need(low, in[3] > 0 && w[3] > 0 && w[3] % in[3] == 0 && w[0] == 1,
                       "its weights do not fit its input's channels"))
        return;
    struct conv conv = {
        .op = "Conv", .x = x, .weights = weights, .bias = lq_lower_input(low, 2),
        .output = lq_lower_output(low, 0), .activation = lq_lower_byte(low, 4, 0),
        .weights_order = {4, {3, 0, 1, 2}}, .channel_axis = 3, .kernel = {w[1], w[2]},
        .strides = {lq_lower_option(low, 2, 1), lq_lower_option(low, 1, 1)},
        .dilations = {lq_lower_option(low, 6, 1), lq_lower_option(low, 5, 1)}, .group = in[3],
    };
    lower(low, &conv, w[3], lq_lower_byte(low, 0, 0));
}

// The output's size is an input: if the strides give a larger output it is cropped, and if they
// give a smaller one it is padded at the end.
static void pad_transposed(struct lq_lower *low, struct conv *conv, int padding)
{
    const struct lq_constant_ints *wanted = lq_constant_ints_of(low, lq_lower_input(low, 0));
    for (int i = 0; i < 2; i++) {
        int64_t size = low->slots[conv->x].shape.dims[1 + i], stride = conv->strides[i];
        int64_t more = conv->kernel[i] - stride;
        // Unknown sizes: as the framework computes them.
        int64_t excess = padding == PADDING_SAME ? more : more > 0 ? 0 : more;
        if (size >= 0 && wanted && wanted->count == 4 && wanted->some[1 + i])
            excess = stride * (size - 1) + conv->kernel[i] - wanted->at[1 + i];
        bool fine = excess > -stride && excess < conv->kernel[i] + stride * (size < 0 ? 1 : size);
        if (!lq_lower_need(low, fine, "its output's size does not fit its strides"))
            return;
        int64_t before = padding == PADDING_SAME && excess > 0 ? excess / 2 : 0;
        conv->pads[i] = before;
        conv->pads[i + 2] = excess > 0 ? excess - before : 0;
        conv->output_padding[i] = excess < 0 ? -excess : 0;
    }
}

void lq_lower_transpose_conv(struct lq_lower *low)
{
    int x = lq_lower_input(low, 2), weights = lq_lower_input(low, 1);
    if (!ready(low, x, weights))
        return;
    const int64_t *w = low->slots[weights].shape.dims;
    struct conv conv = {
        .op = "ConvTranspose", .x = x, .weights = weights, .bias = lq_lower_input(low, 3),
        .output = lq_lower_output(low, 0), .activation = lq_lower_byte(low, 3, 0),
        .weights_order = {4, {3, 0, 1, 2}}, .channel_axis = 0, .kernel = {w[1], w[2]},
        .strides = {lq_lower_option(low, 2, 1), lq_lower_option(low, 1, 1)},
        .dilations = {1, 1}, .group = 1,
    };
    if (!sensible(low, &conv) ||
        !lq_lower_need(low, conv.output >= 0, "one of its outputs is missing"))
        return;
    pad_transposed(low, &conv, lq_lower_byte(low, 0, 0));
    merge_normalisation(low, &conv, w[0]);
    if (low->graph->status == LQ_OK)
        write(low, &conv, w[0]);
}

// MediaPipe's own operator: a transposed convolution that computes its output's size itself. Its
// options are three native integers: padding (1 same, 2 valid), the horizontal and the vertical
// stride.
void lq_lower_transpose_conv_bias(struct lq_lower *low)
{
    int x = lq_lower_input(low, 0), weights = lq_lower_input(low, 1);
    int32_t options[3];
    if (!ready(low, x, weights) ||
        !lq_lower_need(low, low->op->custom_bytes >= sizeof options && lq_lower_output(low, 0) >= 0,
                       "its options are missing"))
        return;
    memcpy(options, low->op->custom_options, sizeof options);
    const int64_t *w = low->slots[weights].shape.dims;
    struct conv conv = {
        .op = "ConvTranspose", .x = x, .weights = weights, .bias = lq_lower_input(low, 2),
        .output = lq_lower_output(low, 0), .weights_order = {4, {3, 0, 1, 2}}, .channel_axis = 0,
        .kernel = {w[1], w[2]}, .strides = {options[2], options[1]}, .dilations = {1, 1},
        .group = 1,
    };
    if (!sensible(low, &conv))
        return;
    for (int i = 0; options[0] == 1 && i < 2; i++) {
        int64_t excess = conv.kernel[i] > conv.strides[i] ? conv.kernel[i] - conv.strides[i] : 0;
        conv.pads[i] = excess / 2;
        conv.pads[i + 2] = excess - excess / 2;
    }
    write(low, &conv, w[0]);
}
