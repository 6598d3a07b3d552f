// CONV_3D and CONV_3D_TRANSPOSE: over depth, height and width. TFLite's weights are
// [d, h, w, in, out] (transposed [d, h, w, out, in]), ONNX's [out, in, d, h, w] (transposed
// [in, out, d, h, w]).
#include "convert/lower.h"

enum { AXES = 3, PADDING_SAME = 0 };

struct conv3d {
    int x, weights, bias, output;
    int64_t kernel[AXES], strides[AXES], dilations[AXES];
    int64_t pads[2 * AXES]; // before each axis, then after each
    int64_t output_padding[AXES];
};

static bool read(struct lq_lower *low, struct conv3d *conv)
{
    static const unsigned stride_fields[AXES] = {1, 3, 2}, dilation_fields[AXES] = {5, 7, 6};
    if (!lq_lower_need(low, conv->x >= 0 && conv->weights >= 0 && conv->output >= 0 &&
                                low->slots[conv->x].made && low->slots[conv->weights].made &&
                                lq_lower_rank(low, conv->x) == 5 &&
                                lq_lower_rank(low, conv->weights) == 5,
                       "its input and weights must have five dimensions each") ||
        !lq_lower_need(low, !lq_lower_quantised(low, conv->x),
                       "a quantised convolution in three dimensions is not supported"))
        return false;
    bool fine = true;
    for (int i = 0; i < AXES; i++) {
        conv->kernel[i] = low->slots[conv->weights].shape.dims[i];
        conv->strides[i] = lq_lower_option(low, stride_fields[i], 1);
        conv->dilations[i] = lq_lower_option(low, dilation_fields[i], 1);
        fine = fine && conv->kernel[i] > 0 && conv->kernel[i] < 65536 && conv->strides[i] > 0 &&
               conv->strides[i] < 65536 && conv->dilations[i] > 0 && conv->dilations[i] < 65536;
    }
    return lq_lower_need(low, fine, "its kernel, strides or dilations are invalid");
}

static void pad(struct conv3d *conv, int axis, int64_t total)
{
    total = total < 0 ? 0 : total;
    conv->pads[axis] = total / 2;
    conv->pads[axis + AXES] = total - total / 2;
}

static void write(struct lq_lower *low, const struct conv3d *conv, const char *op)
{
    struct lq_axes order = lq_layout_channels_first(5);
    struct lq_value *x = lq_get(low, conv->x, order);
    struct lq_value *w = lq_get_folded(low, conv->weights, (struct lq_axes){5, {4, 3, 0, 1, 2}});
    bool biased = conv->bias >= 0, transposed = conv->output_padding[0] >= 0;
    struct lq_value *bias =
        biased ? lq_get_folded(low, conv->bias, lq_layout_plain(1)) : &low->graph->nothing;
    struct lq_attr attrs[] = {
        lq_ints("kernel_shape", conv->kernel, AXES),
        lq_ints("strides", conv->strides, AXES),
        lq_ints("dilations", conv->dilations, AXES),
        lq_ints("pads", conv->pads, 2 * AXES),
        transposed ? lq_ints("output_padding", conv->output_padding, AXES) : (struct lq_attr){0},
        {0},
    };
    struct lq_value *y = lq_graph_add(low->graph, op,
                                      biased ? LQ_INPUTS(x, w, bias) : LQ_INPUTS(x, w), attrs);
    lq_set(low, conv->output, lq_activate(low, y, lq_lower_byte(low, 4, 0)), order);
}

void lq_lower_conv_3d(struct lq_lower *low)
{
    struct conv3d conv = {.x = lq_lower_input(low, 0), .weights = lq_lower_input(low, 1),
                          .bias = lq_lower_input(low, 2), .output = lq_lower_output(low, 0),
                          .output_padding = {-1, -1, -1}};
    if (!read(low, &conv))
        return;
    for (int i = 0; lq_lower_byte(low, 0, 0) == PADDING_SAME && i < AXES; i++) {
        int64_t size = low->slots[conv.x].shape.dims[1 + i], stride = conv.strides[i];
        int64_t reach = (conv.kernel[i] - 1) * conv.dilations[i] + 1;
        if (!lq_lower_need(low, size >= 0 || stride == 1, "its size must be known to pad it"))
            return;
        int64_t last = (size + stride - 1) / stride * stride - stride; // start of the last window
        pad(&conv, i, size < 0 ? reach - 1 : last + reach - size);
    }
    write(low, &conv, "Conv");
}

// The output's size is an input: if the strides give a larger output it is cropped, and if they
// give a smaller one it is padded at the end.
void lq_lower_conv_3d_transpose(struct lq_lower *low)
{
    struct conv3d conv = {.x = lq_lower_input(low, 2), .weights = lq_lower_input(low, 1),
                          .bias = lq_lower_input(low, 3), .output = lq_lower_output(low, 0)};
    int64_t wanted[5];
    if (!read(low, &conv) ||
        !lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 0), wanted, 5) == 5,
                       "its output's shape must be a constant"))
        return;
    for (int i = 0; i < AXES; i++) {
        int64_t size = low->slots[conv.x].shape.dims[1 + i], stride = conv.strides[i];
        int64_t reach = (conv.kernel[i] - 1) * conv.dilations[i] + 1;
        int64_t excess = (size - 1) * stride + reach - wanted[1 + i];
        bool same = lq_lower_byte(low, 0, 0) == PADDING_SAME;
        if (!lq_lower_need(low, size > 0 && excess > -stride && excess < reach + stride * size,
                           "its output's size does not fit its strides"))
            return;
        pad(&conv, i, excess);
        if (!same && excess > 0) {
            conv.pads[i] = 0;
            conv.pads[i + AXES] = excess;
        }
        conv.output_padding[i] = excess < 0 ? -excess : 0;
    }
    write(low, &conv, "ConvTranspose");
}
