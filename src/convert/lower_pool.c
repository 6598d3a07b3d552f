// Window operators without weights: pooling, and response normalisation across channels.
#include "convert/lower.h"

enum { PADDING_SAME = 0 };

static void pool(struct lq_lower *low, const char *op)
{
    int input = lq_lower_input(low, 0), output = lq_lower_output(low, 0);
    if (!lq_lower_need(low, input >= 0 && lq_lower_rank(low, input) == 4 && output >= 0,
                       "its input must have four dimensions"))
        return;
    int64_t kernel[2] = {lq_lower_option(low, 4, 0), lq_lower_option(low, 3, 0)};
    int64_t strides[2] = {lq_lower_option(low, 2, 0), lq_lower_option(low, 1, 0)};
    int64_t pads[4] = {0};
    bool auto_pad = false, same = lq_lower_byte(low, 0, 0) == PADDING_SAME;
    const int64_t *size = &low->slots[input].shape.dims[1];
    for (int i = 0; i < 2; i++) {
        if (!lq_lower_need(low, kernel[i] > 0 && kernel[i] < 65536 && strides[i] > 0 &&
                                    strides[i] < 65536,
                           "its window or strides are invalid"))
            return;
        auto_pad |= same && size[i] < 0 && strides[i] > 1;
        int64_t total = size[i] < 0 ? kernel[i] - 1
                                    : ((size[i] + strides[i] - 1) / strides[i] - 1) * strides[i] +
                                          kernel[i] - size[i];
        if (same && total > 0) {
            pads[i] = total / 2;
            pads[i + 2] = total - total / 2;
        }
    }
    struct lq_axes order = lq_layout_channels_first(4);
    struct lq_value *y = lq_graph_add(
        low->graph, op, LQ_INPUTS(lq_get(low, input, order)),
        LQ_ATTRS(lq_ints("kernel_shape", kernel, 2), lq_ints("strides", strides, 2),
                 auto_pad ? lq_text("auto_pad", "SAME_UPPER") : lq_ints("pads", pads, 4)));
    int activation = lq_lower_byte(low, 5, 0);
    if (!lq_clip_is_free(low, output, activation))
        y = lq_activate(low, y, activation);
    lq_set(low, output, y, order);
}

void lq_lower_average_pool(struct lq_lower *low)
{
    pool(low, "AveragePool"); // both exclude the padding
}

void lq_lower_max_pool(struct lq_lower *low)
{
    pool(low, "MaxPool");
}

// TFLite: x / (bias + alpha * sum over 2r+1)^beta; ONNX divides alpha by the count.
void lq_lower_lrn(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0);
    int64_t radius = lq_lower_option(low, 0, 0);
    if (!lq_lower_need(low, lq_lower_rank(low, input) == 4 && radius >= 0 && radius < 65536,
                       "its input must have four dimensions, its radius a valid size"))
        return;
    struct lq_axes order = lq_layout_channels_first(4);
    float bias = lq_tflite_option_float(low->model, low->op, 1, 0);
    float alpha = lq_tflite_option_float(low->model, low->op, 2, 0);
    float beta = lq_tflite_option_float(low->model, low->op, 3, 0);
    int64_t size = 2 * radius + 1;
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, "LRN", LQ_INPUTS(lq_get(low, input, order)),
                        LQ_ATTRS(lq_int("size", size), lq_float("alpha", alpha * (float)size),
                                 lq_float("beta", beta), lq_float("bias", bias))),
           order);
}
