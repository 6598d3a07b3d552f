#include "convert/quantise_weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/onnx_numbers.h"

enum { TYPE_FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
       TYPE_INT8 = ONNX__TENSOR_PROTO__DATA_TYPE__INT8 };

void lq_quantise_name(char name[LQ_QUANTISE_NAME_MAX], const char *value, const char *what)
{
    snprintf(name, LQ_QUANTISE_NAME_MAX, "%.370s#%s", value, what);
}

void lq_quantise_add_scale(struct lq_onnx *onnx, const char *name, float scale)
{
    const struct lq_onnx_values values = {TYPE_FLOAT, NULL, 0, &scale, sizeof scale};
    lq_onnx_add_constant(onnx, name, &values);
}

void lq_quantise_add_zero(struct lq_onnx *onnx)
{
    lq_onnx_add_constant(onnx, LQ_QUANTISE_ZERO,
                         &(struct lq_onnx_values){TYPE_INT8, NULL, 0, "", 1});
}

void lq_quantise_insert_pair(struct lq_onnx *onnx, size_t at, const char *value, const char *scale,
                             const char *rounded)
{
    char stored[LQ_QUANTISE_NAME_MAX];
    lq_quantise_name(stored, rounded, "int8");
    const char *const from[] = {stored, scale, LQ_QUANTISE_ZERO};
    const char *const to[] = {value, scale, LQ_QUANTISE_ZERO};
    lq_onnx_insert(onnx, at, lq_onnx_new_node(onnx, "DequantizeLinear", from, 3, rounded));
    lq_onnx_insert(onnx, at, lq_onnx_new_node(onnx, "QuantizeLinear", to, 3, stored));
}

struct weights {
    float *numbers, *scales;
    int8_t *stored;
    double *shift;       // per output channel: what rounding adds to its mean
    size_t items, channels, inner; // inner: numbers per step of the axis
};

static void release_weights(struct weights *weights)
{
    free(weights->numbers);
    free(weights->scales);
    free(weights->stored);
    free(weights->shift);
}

static bool read_weights(const Onnx__TensorProto *tensor, int axis, struct weights *weights)
{
    weights->items = (size_t)lq_onnx_items(tensor);
    weights->channels = (size_t)tensor->dims[axis];
    weights->inner = 1;
    for (size_t i = (size_t)axis + 1; i < tensor->n_dims; i++)
        weights->inner *= (size_t)tensor->dims[i];
    weights->numbers = lq_onnx_floats(tensor);
    weights->scales = calloc(weights->channels + 1, sizeof(float));
    weights->shift = calloc(weights->channels + 1, sizeof(double));
    weights->stored = malloc(weights->items + 1);
    return weights->numbers && weights->scales && weights->shift && weights->stored;
}

static void round_weights(struct weights *weights)
{
    size_t channels = weights->channels, inner = weights->inner;
    for (size_t i = 0; i < weights->items; i++) {
        float size = fabsf(weights->numbers[i]), *scale = &weights->scales[i / inner % channels];
        *scale = size > *scale && isfinite(size) ? size : *scale;
    }
    for (size_t c = 0; c < channels; c++)
        weights->scales[c] = weights->scales[c] > 1e-30f ? weights->scales[c] / LQ_INT8_LEVELS
                                                         : 1.0f;
    for (size_t i = 0; i < weights->items; i++) {
        float level = rintf(weights->numbers[i] / weights->scales[i / inner % channels]);
        weights->stored[i] = (int8_t)(level > LQ_INT8_LEVELS    ? LQ_INT8_LEVELS
                                      : level < -LQ_INT8_LEVELS ? -LQ_INT8_LEVELS
                                      : level <= 0 || level > 0 ? level : 0);
    }
}

// Which input channel a weight multiplies.
static size_t input_channel(const struct lq_layer *layer, const Onnx__TensorProto *tensor,
                            const struct weights *weights, size_t i)
{
    if (strcmp(layer->op, "Conv") != 0)
        return layer->axis == 1 ? i / weights->inner / weights->channels
                                : i % (size_t)tensor->dims[1];
    size_t spatial = weights->inner / (size_t)(tensor->dims[1] > 0 ? tensor->dims[1] : 1);
    size_t group = i / weights->inner / (weights->channels / (size_t)layer->groups);
    return group * (size_t)tensor->dims[1] + i / spatial % (size_t)tensor->dims[1];
}

static void sum_shift(const struct lq_layer *layer, const Onnx__TensorProto *tensor,
                      struct weights *weights)
{
    for (size_t i = 0; i < weights->items; i++) {
        size_t out = i / weights->inner % weights->channels;
        size_t in = input_channel(layer, tensor, weights, i);
        double apart = (double)((float)weights->stored[i] * weights->scales[out]) -
                       (double)weights->numbers[i];
        if (in < (size_t)layer->channels)
            weights->shift[out] += apart * layer->means[in];
    }
}

// Gemm and the convolutions have a bias. A bias that is shared, or is not a vector, is not changed.
static void correct_biases(struct lq_onnx *onnx, const struct lq_layer *layer,
                           Onnx__NodeProto *node, const struct weights *weights)
{
    const char *now = lq_onnx_input(node, 2);
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, now);
    float *biases = tensor ? lq_onnx_floats(tensor)
                           : calloc(weights->channels + 1, sizeof *biases);
    const Onnx__AttributeProto *beta = lq_onnx_attr(node, "beta");
    bool fine = biases && strcmp(layer->op, "MatMul") != 0 && (tensor || !*now) &&
                !(beta && (beta->f < 1.0f || beta->f > 1.0f)) &&
                (!tensor || lq_onnx_items(tensor) == (int64_t)weights->channels);
    if (fine) {
        char name[LQ_QUANTISE_NAME_MAX];
        int64_t channels = (int64_t)weights->channels;
        lq_quantise_name(name, layer->name, "bias");
        for (size_t c = 0; c < weights->channels; c++)
            biases[c] -= (float)weights->shift[c];
        const struct lq_onnx_values values = {TYPE_FLOAT, &channels, 1, biases,
                                              weights->channels * sizeof *biases};
        lq_onnx_add_constant(onnx, name, &values);
        lq_onnx_set_input(onnx, node, 2, name);
    }
    free(biases);
}

// Stores the weights, with their DequantizeLinear directly before the layer.
static void store_weights(struct lq_onnx *onnx, const struct lq_layer *layer,
                          const Onnx__TensorProto *tensor, const struct weights *weights)
{
    char stored[LQ_QUANTISE_NAME_MAX], scale[LQ_QUANTISE_NAME_MAX], rounded[LQ_QUANTISE_NAME_MAX];
    int64_t channels = (int64_t)weights->channels;
    lq_quantise_name(stored, layer->name, "weights");
    lq_quantise_name(scale, layer->name, "weights#scale");
    lq_quantise_name(rounded, layer->name, "weights#rounded");
    const struct lq_onnx_values whole = {TYPE_INT8, tensor->dims, tensor->n_dims, weights->stored,
                                         weights->items};
    const struct lq_onnx_values scales = {TYPE_FLOAT, &channels, 1, weights->scales,
                                          weights->channels * sizeof(float)};
    lq_onnx_add_constant(onnx, stored, &whole);
    lq_onnx_add_constant(onnx, scale, &scales);
    Onnx__NodeProto *node = lq_onnx_new_node(onnx, "DequantizeLinear",
                                             (const char *[]){stored, scale}, 2, rounded);
    if (!node)
        return;
    lq_onnx_set_int(onnx, node, "axis", layer->axis);
    size_t at = (size_t)lq_onnx_maker(onnx, layer->name);
    lq_onnx_set_input(onnx, onnx->graph->node[at], 1, rounded);
    lq_onnx_insert(onnx, at, node);
}

bool lq_quantise_weights(struct lq_onnx *onnx, const struct lq_layer *layer, bool correct_bias)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, layer->weight);
    struct weights weights = {0};
    bool fine = tensor && lq_onnx_maker(onnx, layer->name) >= 0 &&
                read_weights(tensor, layer->axis, &weights);
    if (fine) {
        round_weights(&weights);
        store_weights(onnx, layer, tensor, &weights);
        if (correct_bias && layer->means) {
            sum_shift(layer, tensor, &weights);
            correct_biases(onnx, layer, onnx->graph->node[lq_onnx_maker(onnx, layer->name)],
                           &weights);
        }
    }
    release_weights(&weights);
    return fine;
}
