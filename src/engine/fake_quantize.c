#include "engine/fake_quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Names are searched linearly, so larger graphs are left unchanged.
enum { NODES_MAX = 8192, LEVELS = 256, NAME_BYTES = 400 };

static const char DOMAIN_NAME[] = "org.openvinotoolkit";

static bool is_standard(const Onnx__NodeProto *node, const char *op)
{
    return lq_onnx_is(node, op) && (!node->domain || !*node->domain ||
                                    strcmp(node->domain, "ai.onnx") == 0);
}

// The value of a scalar float constant; NaN for anything else.
static float scale_of(const struct lq_onnx *onnx, const char *name)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, name);
    float scale = NAN;
    if (!tensor || tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
        lq_onnx_items(tensor) != 1)
        return NAN;
    if (tensor->n_float_data == 1)
        return tensor->float_data[0];
    if (tensor->has_raw_data && tensor->raw_data.len == sizeof scale)
        memcpy(&scale, tensor->raw_data.data, sizeof scale);
    return scale;
}

static bool is_signed_zero(const struct lq_onnx *onnx, const char *name)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, name);
    if (!tensor || tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__INT8 ||
        lq_onnx_items(tensor) != 1)
        return false;
    if (tensor->has_raw_data)
        return tensor->raw_data.len == 1 && tensor->raw_data.data[0] == 0;
    return tensor->n_int32_data == 1 && tensor->int32_data[0] == 0;
}

// Index of the QuantizeLinear node whose output this DequantizeLinear node dequantises with the
// same per-tensor scale and a zero point of 0 (int8); -1 if there is none.
static int partner_of(const struct lq_onnx *onnx, const Onnx__NodeProto *node)
{
    if (!is_standard(node, "DequantizeLinear") || node->n_output != 1)
        return -1;
    int maker = lq_onnx_maker(onnx, lq_onnx_input(node, 0));
    const Onnx__NodeProto *other = maker >= 0 ? onnx->graph->node[maker] : NULL;
    if (!other || !is_standard(other, "QuantizeLinear") ||
        strcmp(lq_onnx_input(node, 1), lq_onnx_input(other, 1)) != 0 ||
        strcmp(lq_onnx_input(node, 2), lq_onnx_input(other, 2)) != 0 ||
        lq_onnx_constant(onnx, lq_onnx_input(other, 0)))
        return -1;
    float scale = scale_of(onnx, lq_onnx_input(node, 1));
    return scale > 0 && isfinite(scale) && is_signed_zero(onnx, lq_onnx_input(node, 2)) ? maker
                                                                                       : -1;
}

static void add_edge(struct lq_onnx *onnx, char name[NAME_BYTES], const char *value,
                     const char *what, float edge)
{
    snprintf(name, NAME_BYTES, "%.370s#%s", value, what);
    lq_onnx_add_constant(onnx, name, &(struct lq_onnx_values){
                                         ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, NULL, 0, &edge,
                                         sizeof edge});
}

// Replaces the DequantizeLinear node by a FakeQuantize node.
static void replace(struct lq_onnx *onnx, size_t at, const Onnx__NodeProto *quantise)
{
    char low[NAME_BYTES], high[NAME_BYTES];
    const char *value = onnx->graph->node[at]->output[0];
    float scale = scale_of(onnx, lq_onnx_input(quantise, 1));
    add_edge(onnx, low, value, "low", -128 * scale);
    add_edge(onnx, high, value, "high", 127 * scale);
    Onnx__NodeProto *node = lq_onnx_new_node(
        onnx, "FakeQuantize", (const char *[]){quantise->input[0], low, high, low, high}, 5, value);
    if (!node)
        return;
    lq_onnx_set_text(onnx, &node->domain, DOMAIN_NAME);
    lq_onnx_set_int(onnx, node, "levels", LEVELS);
    lq_onnx_remove(onnx, at);
    lq_onnx_insert(onnx, at, node);
}

static void import_domain(struct lq_onnx *onnx)
{
    Onnx__ModelProto *model = onnx->message;
    Onnx__OperatorSetIdProto *set = malloc(sizeof *set);
    void *longer = realloc(model->opset_import, (model->n_opset_import + 1) * sizeof set);
    model->opset_import = longer ? longer : model->opset_import;
    if (!set || !longer) {
        onnx->failed = true;
        free(set);
        return;
    }
    onnx__operator_set_id_proto__init(set);
    lq_onnx_set_text(onnx, &set->domain, DOMAIN_NAME);
    set->has_version = true;
    set->version = 1;
    model->opset_import[model->n_opset_import++] = set;
}

int lq_fake_quantize(struct lq_onnx *onnx)
{
    int count = 0;
    if (onnx->graph->n_node > NODES_MAX)
        return 0;
    for (size_t i = 0; i < onnx->graph->n_node && !onnx->failed; i++) {
        int partner = partner_of(onnx, onnx->graph->node[i]);
        if (partner < 0)
            continue;
        replace(onnx, i, onnx->graph->node[partner]);
        count++;
    }
    if (count > 0)
        import_domain(onnx);
    return count;
}
