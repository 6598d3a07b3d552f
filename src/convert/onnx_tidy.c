#include "convert/onnx_tidy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/onnx_numbers.h"
#include "convert/onnx_upgrade.h"

enum { TYPE_FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
       TYPE_FLOAT16 = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 };

// ---- rejected models

static bool is_quantised(const Onnx__NodeProto *node)
{
    static const char *const known[] = {"QuantizeLinear", "DequantizeLinear", "QLinearConv",
                                        "QLinearMatMul", "ConvInteger", "MatMulInteger",
                                        "DynamicQuantizeLinear", "FakeQuantize", "QLinearAdd"};
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        if (lq_onnx_is(node, known[i]))
            return true;
    return false;
}

static int refuse(const struct lq_onnx *onnx, const char *name, struct lq_error *err)
{
    for (size_t i = 0; i < onnx->graph->n_node; i++)
        if (is_quantised(onnx->graph->node[i]))
            return lq_fail(err, LQ_ERR_MODEL, "'%.150s' is quantised already (it has a %s): give "
                           "the float model that it was made from", name,
                           onnx->graph->node[i]->op_type);
    for (size_t i = 0; i < onnx->graph->n_input; i++) {
        const Onnx__TypeProto *type = onnx->graph->input[i]->type;
        bool tensor = type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
                      type->tensor_type;
        if (tensor && type->tensor_type->elem_type == TYPE_FLOAT16)
            return lq_fail(err, LQ_ERR_MODEL, "'%.150s' computes in float16: export it in float32 "
                           "(half=False)", name);
    }
    return LQ_OK;
}

// ---- constants

// Adds the node's tensor, a scalar or a list, as a constant of the graph.
static bool add_constant_node(struct lq_onnx *onnx, const Onnx__NodeProto *node)
{
    const Onnx__AttributeProto *value = lq_onnx_attr(node, "value");
    const char *name = node->n_output == 1 ? node->output[0] : "";
    if (!*name || !value || !value->t || value->t->n_external_data)
        return false;
    size_t size = onnx__tensor_proto__get_packed_size(value->t);
    uint8_t *bytes = malloc(size + 1);
    Onnx__TensorProto *copy = NULL;
    if (bytes) {
        onnx__tensor_proto__pack(value->t, bytes);
        copy = onnx__tensor_proto__unpack(NULL, size, bytes);
        free(bytes);
    }
    const struct lq_onnx_values none = {copy ? copy->data_type : 0, NULL, 0, "", 0};
    Onnx__TensorProto *place = copy ? lq_onnx_add_constant(onnx, name, &none) : NULL;
    if (!place) {
        onnx->failed = true;
        if (copy)
            onnx__tensor_proto__free_unpacked(copy, NULL);
        return false;
    }
    Onnx__TensorProto empty = *place;
    *place = *copy;
    *copy = empty;
    onnx__tensor_proto__free_unpacked(copy, NULL);
    lq_onnx_set_text(onnx, &place->name, name);
    return true;
}

// Folds an Identity, or a Cast to float32, of a floating-point constant.
static bool fold_copy(struct lq_onnx *onnx, const Onnx__NodeProto *node)
{
    bool cast = lq_onnx_is(node, "Cast") && lq_onnx_attr_int(node, "to", 0) == TYPE_FLOAT;
    const Onnx__TensorProto *from = lq_onnx_constant(onnx, lq_onnx_input(node, 0));
    if ((!cast && !lq_onnx_is(node, "Identity")) || !from || node->n_output != 1 ||
        lq_onnx_is_output(onnx, node->output[0]))
        return false;
    if (!cast) { // a subgraph may refer to it by this name
        if (lq_onnx_has_inner(onnx))
            return false;
        lq_onnx_redirect(onnx, node->output[0], node->input[0]);
        return true;
    }
    float *numbers = lq_onnx_floats(from);
    if (!numbers)
        return false;
    const struct lq_onnx_values values = {TYPE_FLOAT, from->dims, from->n_dims, numbers,
                                          (size_t)lq_onnx_items(from) * sizeof *numbers};
    bool made = lq_onnx_add_constant(onnx, node->output[0], &values);
    free(numbers);
    return made;
}

static void fold_constants(struct lq_onnx *onnx)
{
    for (size_t i = 0; i < onnx->graph->n_node && !onnx->failed;) {
        const Onnx__NodeProto *node = onnx->graph->node[i];
        bool gone = lq_onnx_is(node, "Constant") ? add_constant_node(onnx, node)
                                                 : fold_copy(onnx, node);
        if (gone)
            lq_onnx_remove(onnx, i);
        else
            i++;
    }
}

// ---- batch normalisation

struct norm {
    Onnx__TensorProto *weight, *bias; // of the convolution; bias may be NULL
    float *scale, *shift, *mean, *variance, *weights, *biases;
    int64_t channels;
    float epsilon;
};

static void release_norm(struct norm *norm)
{
    float *all[] = {norm->scale, norm->shift, norm->mean, norm->variance, norm->weights,
                    norm->biases};
    for (size_t i = 0; i < LQ_COUNT(all); i++)
        free(all[i]);
}

static float *read_row(const struct lq_onnx *onnx, const char *name, int64_t count)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, name);
    return tensor && lq_onnx_items(tensor) == count ? lq_onnx_floats(tensor) : NULL;
}

// Reads it if all its parameters are constants that are used only here.
static bool read_norm(const struct lq_onnx *onnx, const Onnx__NodeProto *conv,
                      const Onnx__NodeProto *node, struct norm *norm)
{
    norm->weight = lq_onnx_constant(onnx, lq_onnx_input(conv, 1));
    norm->bias = lq_onnx_constant(onnx, lq_onnx_input(conv, 2));
    if (!norm->weight || norm->weight->n_dims < 3 || node->n_input != 5 || node->n_output != 1 ||
        (!norm->bias && *lq_onnx_input(conv, 2)) ||
        lq_onnx_users(onnx, conv->input[1]) != 1 ||
        (norm->bias && lq_onnx_users(onnx, conv->input[2]) != 1) ||
        lq_onnx_users(onnx, conv->output[0]) != 1 ||
        lq_onnx_attr_int(node, "training_mode", 0) != 0)
        return false;
    const Onnx__AttributeProto *epsilon = lq_onnx_attr(node, "epsilon");
    norm->epsilon = epsilon && epsilon->has_f ? epsilon->f : 1e-5f;
    norm->channels = norm->weight->dims[0];
    norm->scale = read_row(onnx, node->input[1], norm->channels);
    norm->shift = read_row(onnx, node->input[2], norm->channels);
    norm->mean = read_row(onnx, node->input[3], norm->channels);
    norm->variance = read_row(onnx, node->input[4], norm->channels);
    norm->weights = lq_onnx_floats(norm->weight);
    norm->biases = norm->bias ? read_row(onnx, conv->input[2], norm->channels)
                              : calloc((size_t)norm->channels + 1, sizeof(float));
    return norm->scale && norm->shift && norm->mean && norm->variance && norm->weights &&
           norm->biases && norm->channels > 0;
}

static void merge_norm(struct lq_onnx *onnx, Onnx__NodeProto *conv, const Onnx__NodeProto *node,
                       struct norm *norm)
{
    size_t items = (size_t)lq_onnx_items(norm->weight), channels = (size_t)norm->channels;
    size_t row = items / channels;
    for (size_t c = 0; c < channels; c++) {
        float factor = norm->scale[c] / sqrtf(norm->variance[c] + norm->epsilon);
        for (size_t i = 0; i < row; i++)
            norm->weights[c * row + i] *= factor;
        norm->biases[c] = (norm->biases[c] - norm->mean[c]) * factor + norm->shift[c];
    }
    lq_onnx_set_floats(onnx, norm->weight, norm->weights, items);
    if (norm->bias) {
        lq_onnx_set_floats(onnx, norm->bias, norm->biases, channels);
    } else { // the convolution has no third input yet
        char name[300];
        snprintf(name, sizeof name, "%.250s#bias", conv->output[0]);
        const struct lq_onnx_values values = {TYPE_FLOAT, &norm->channels, 1, norm->biases,
                                              channels * sizeof(float)};
        lq_onnx_add_constant(onnx, name, &values);
        lq_onnx_set_input(onnx, conv, 2, name);
    }
    lq_onnx_set_text(onnx, &conv->output[0], node->output[0]);
}

static void fold_norms(struct lq_onnx *onnx)
{
    for (size_t i = 0; i < onnx->graph->n_node && !onnx->failed;) {
        const Onnx__NodeProto *node = onnx->graph->node[i];
        int maker = lq_onnx_is(node, "BatchNormalization")
                        ? lq_onnx_maker(onnx, lq_onnx_input(node, 0)) : -1;
        Onnx__NodeProto *conv = maker >= 0 ? onnx->graph->node[maker] : NULL;
        struct norm norm = {0};
        bool gone = conv && lq_onnx_is(conv, "Conv") && read_norm(onnx, conv, node, &norm);
        if (gone)
            merge_norm(onnx, conv, node, &norm);
        release_norm(&norm);
        if (gone)
            lq_onnx_remove(onnx, i);
        else
            i++;
    }
}

int lq_onnx_tidy(struct lq_onnx *onnx, const char *name, struct lq_error *err)
{
    int status = refuse(onnx, name, err);
    if (status != LQ_OK)
        return status;
    fold_constants(onnx);
    status = lq_onnx_upgrade(onnx, name, err); // which needs constants
    if (status != LQ_OK)
        return status;
    if (!lq_onnx_has_inner(onnx))
        fold_norms(onnx);
    lq_onnx_prune(onnx);
    return onnx->failed ? lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.150s'", name) : LQ_OK;
}
