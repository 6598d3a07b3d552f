#include "convert/amend.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "convert/join_slices.h"
#include "format/onnx.h"

static bool is_quantised(const Onnx__ValueInfoProto *value)
{
    const Onnx__TypeProto *type = value->type;
    if (!value->name || !type ||
        type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type)
        return false;
    int32_t item = type->tensor_type->elem_type;
    return item == ONNX__TENSOR_PROTO__DATA_TYPE__INT8 ||
           item == ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
}

// The first node that uses (or computes) the value; NULL: none.
static const Onnx__NodeProto *neighbour(const struct lq_onnx *onnx, const char *value, bool makes)
{
    for (size_t i = 0; i < onnx->graph->n_node; i++) {
        const Onnx__NodeProto *node = onnx->graph->node[i];
        const char *name = makes ? (node->n_output ? node->output[0] : "") : lq_onnx_input(node, 0);
        if (node->n_output && node->n_input && strcmp(name, value) == 0)
            return node;
    }
    return NULL;
}

static bool moves_numbers(const char *op)
{
    static const char *const known[] = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten",
                                        "Identity"};
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        if (strcmp(op, known[i]) == 0)
            return true;
    return false;
}

// One scale for all numbers: a scalar, or a list of one.
static bool is_one_number(const struct lq_onnx *onnx, const char *name)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, name);
    return tensor && (tensor->n_dims == 0 || (tensor->n_dims == 1 && tensor->dims[0] == 1));
}

// The node of that kind nearest to the value, skipping nodes that only move numbers, if it has a
// single scale and a zero point; else NULL.
static const Onnx__NodeProto *find(const struct lq_onnx *onnx, const char *value, bool makes,
                                   const char *op)
{
    enum { STEPS_MAX = 8 };
    for (int step = 0; step < STEPS_MAX; step++) {
        const Onnx__NodeProto *node = neighbour(onnx, value, makes);
        if (!node)
            return NULL;
        if (strcmp(node->op_type, op) == 0)
            return node->n_input == 3 && is_one_number(onnx, node->input[1]) ? node : NULL;
        if (!moves_numbers(node->op_type))
            return NULL;
        value = makes ? node->input[0] : node->output[0];
    }
    return NULL;
}

// Renames a value in the node that computes it and everywhere it is used in the graph.
static void rename_value(struct lq_onnx *onnx, const char *from, const char *to)
{
    for (size_t i = 0; i < onnx->graph->n_node; i++) {
        Onnx__NodeProto *node = onnx->graph->node[i];
        for (size_t k = 0; k < node->n_output; k++)
            if (strcmp(node->output[k], from) == 0)
                lq_onnx_set_text(onnx, &node->output[k], to);
    }
    lq_onnx_redirect(onnx, from, to);
}

// Changes one input or output of the graph, if needed; *changed counts those changed.
static void change(struct lq_onnx *onnx, Onnx__ValueInfoProto *value, bool input, int *changed)
{
    const Onnx__NodeProto *pair =
        is_quantised(value)
            ? find(onnx, value->name, !input, input ? "DequantizeLinear" : "QuantizeLinear")
            : NULL;
    if (!pair)
        return;
    char stored[600];
    snprintf(stored, sizeof stored, "%.500s#stored", value->name);
    const char *from = input ? value->name : stored, *to = input ? stored : value->name;
    const char *const inputs[] = {from, pair->input[1], pair->input[2]};
    Onnx__NodeProto *node = lq_onnx_new_node(onnx, input ? "QuantizeLinear" : "DequantizeLinear",
                                             inputs, 3, to);
    ++*changed;
    value->type->tensor_type->has_elem_type = true;
    value->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    rename_value(onnx, value->name, stored);
    lq_onnx_insert(onnx, input ? 0 : onnx->graph->n_node, node);
}

// Amends inputs and outputs first, then slices (only from opset 13 on, where a Split's sizes are an
// input). Returns how many were changed; negative: out of memory.
static int amend(struct lq_onnx *onnx)
{
    const Onnx__GraphProto *graph = onnx->graph;
    int changed = 0;
    for (size_t i = 0; i < graph->n_input; i++)
        change(onnx, graph->input[i], true, &changed);
    for (size_t i = 0; i < graph->n_output; i++)
        change(onnx, graph->output[i], false, &changed);
    int joined = onnx->opset >= 13 ? lq_onnx_join_slices(onnx->graph) : 0;
    return joined < 0 || onnx->failed ? -1 : changed + joined;
}

int lq_onnx_amend(const uint8_t *model, size_t len, struct lq_buf *out, struct lq_error *err)
{
    struct lq_onnx onnx;
    int status = lq_onnx_read(&onnx, model, len, "the model", err);
    int changed = status == LQ_OK ? amend(&onnx) : 0;
    if (changed < 0)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for an ONNX model");
    else if (changed == 0)
        status = lq_fail(err, LQ_ERR_MODEL, "no ONNX model that could be amended");
    else
        status = lq_onnx_write(&onnx, out, err);
    lq_onnx_free(&onnx);
    return status;
}
