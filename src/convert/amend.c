#include "convert/amend.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/join_slices.h"

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

// The first node that takes (or makes) the value; NULL: none.
static const Onnx__NodeProto *neighbour(const Onnx__GraphProto *graph, const char *value,
                                        bool makes)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        const char *name = makes ? (node->n_output ? node->output[0] : "")
                                 : (node->n_input ? node->input[0] : "");
        if (node->op_type && node->n_output && node->n_input && strcmp(name, value) == 0)
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
static bool is_one_number(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *tensor = graph->initializer[i];
        if (tensor->name && strcmp(tensor->name, name) == 0)
            return tensor->n_dims == 0 || (tensor->n_dims == 1 && tensor->dims[0] == 1);
    }
    return false;
}

// The node of that kind next to the value, past some that only move numbers about, if it has one
// scale and a zero point; else NULL.
static const Onnx__NodeProto *find(const Onnx__GraphProto *graph, const char *value, bool makes,
                                   const char *op)
{
    enum { STEPS_MAX = 8 };
    for (int step = 0; step < STEPS_MAX; step++) {
        const Onnx__NodeProto *node = neighbour(graph, value, makes);
        if (!node)
            return NULL;
        if (strcmp(node->op_type, op) == 0)
            return node->n_input == 3 && is_one_number(graph, node->input[1]) ? node : NULL;
        if (!moves_numbers(node->op_type))
            return NULL;
        value = makes ? node->input[0] : node->output[0];
    }
    return NULL;
}

// Every use of a value within the graph, and what makes it, by another name. False: out of memory.
static bool rename_value(Onnx__GraphProto *graph, const char *from, const char *to)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        Onnx__NodeProto *node = graph->node[i];
        for (size_t k = 0; k < node->n_input + node->n_output; k++) {
            char **name = k < node->n_input ? &node->input[k] : &node->output[k - node->n_input];
            if (strcmp(*name, from) != 0)
                continue;
            char *copy = strdup(to);
            if (!copy)
                return false;
            free(*name);
            *name = copy;
        }
    }
    return true;
}

static char **copies(const char *const *texts, size_t count)
{
    char **made = calloc(count, sizeof *made);
    for (size_t i = 0; made && i < count; i++)
        made[i] = strdup(texts[i]);
    return made;
}

// A node of the message's own memory; `first`: before all others, else behind them.
static bool add_node(Onnx__GraphProto *graph, const char *op, const char *in,
                     const Onnx__NodeProto *like, const char *out, bool first)
{
    Onnx__NodeProto **nodes = realloc(graph->node, (graph->n_node + 1) * sizeof(void *));
    Onnx__NodeProto *node = malloc(sizeof *node);
    if (nodes)
        graph->node = nodes;
    if (!nodes || !node) {
        free(node);
        return false;
    }
    onnx__node_proto__init(node);
    node->op_type = strdup(op);
    node->input = copies((const char *const[]){in, like->input[1], like->input[2]}, 3);
    node->output = copies((const char *const[]){out}, 1);
    node->n_input = node->input ? 3 : 0;
    node->n_output = node->output ? 1 : 0;
    if (first)
        memmove(nodes + 1, nodes, graph->n_node * sizeof *nodes);
    nodes[first ? 0 : graph->n_node] = node;
    graph->n_node++;
    return node->op_type && node->n_input && node->n_output;
}

static void make_float(Onnx__ValueInfoProto *value)
{
    value->type->tensor_type->has_elem_type = true;
    value->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
}

// One edge of the graph; *changed counts those that were. False: out of memory.
static bool change(Onnx__GraphProto *graph, Onnx__ValueInfoProto *value, bool input, int *changed)
{
    const Onnx__NodeProto *pair =
        is_quantised(value)
            ? find(graph, value->name, !input, input ? "DequantizeLinear" : "QuantizeLinear")
            : NULL;
    if (!pair)
        return true;
    char stored[600];
    snprintf(stored, sizeof stored, "%.500s#stored", value->name);
    ++*changed;
    make_float(value);
    if (!rename_value(graph, value->name, stored))
        return false;
    return input ? add_node(graph, "QuantizeLinear", value->name, pair, stored, true)
                 : add_node(graph, "DequantizeLinear", stored, pair, value->name, false);
}

// Since opset 13 a Split's sizes are an input.
static bool splits_by_input(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++)
        if (!model->opset_import[i]->domain || !*model->opset_import[i]->domain)
            return model->opset_import[i]->version >= 13;
    return false;
}

int lq_onnx_amend(const uint8_t *model, size_t len, struct lq_buf *out, struct lq_error *err)
{
    Onnx__ModelProto *message = onnx__model_proto__unpack(NULL, len, model);
    Onnx__GraphProto *graph = message ? message->graph : NULL;
    int changed = 0, status = LQ_OK;
    bool fine = true;
    for (size_t i = 0; graph && fine && i < graph->n_input; i++)
        fine = change(graph, graph->input[i], true, &changed);
    for (size_t i = 0; graph && fine && i < graph->n_output; i++)
        fine = change(graph, graph->output[i], false, &changed);
    int joined = graph && fine && splits_by_input(message) ? lq_onnx_join_slices(graph) : 0;
    fine &= joined >= 0;
    if (!graph || (fine && changed + joined == 0))
        status = lq_fail(err, LQ_ERR_MODEL, "no ONNX model that could be amended");
    else if (!fine || lq_buf_resize(out, onnx__model_proto__get_packed_size(message)) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for an ONNX model");
    else
        onnx__model_proto__pack(message, out->data);
    if (message)
        onnx__model_proto__free_unpacked(message, NULL);
    return status;
}
