#include "convert/join_slices.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

enum { PARTS_MAX = 16 };

struct slice {
    Onnx__NodeProto *node;
    int64_t start, end, axis;
};

static const Onnx__TensorProto *constant(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0)
            return graph->initializer[i];
    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        if (node->op_type && strcmp(node->op_type, "Constant") == 0 && node->n_output == 1 &&
            strcmp(node->output[0], name) == 0 && node->n_attribute == 1)
            return node->attribute[0]->t;
    }
    return NULL;
}

// Reads a constant that holds a single number; false if it is something else.
static bool one_number(const Onnx__GraphProto *graph, const char *name, int64_t *number)
{
    const Onnx__TensorProto *tensor = constant(graph, name);
    if (!tensor || tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ||
        tensor->n_dims > 1 || (tensor->n_dims == 1 && tensor->dims[0] != 1))
        return false;
    if (tensor->n_int64_data == 1)
        *number = tensor->int64_data[0];
    else if (tensor->has_raw_data && tensor->raw_data.len == sizeof *number)
        memcpy(number, tensor->raw_data.data, sizeof *number);
    else
        return false;
    return true;
}

// Reads a Slice along one axis with step one, whose start and end are counted from the axis's
// start.
static bool read_slice(const Onnx__GraphProto *graph, Onnx__NodeProto *node, struct slice *slice)
{
    int64_t step = 1;
    *slice = (struct slice){.node = node};
    return node->op_type && strcmp(node->op_type, "Slice") == 0 && node->n_output == 1 &&
           (node->n_input == 4 || node->n_input == 5) &&
           one_number(graph, node->input[1], &slice->start) &&
           one_number(graph, node->input[2], &slice->end) &&
           one_number(graph, node->input[3], &slice->axis) &&
           (node->n_input == 4 || !*node->input[4] || one_number(graph, node->input[4], &step)) &&
           step == 1 && slice->start >= 0 && slice->end > slice->start && slice->end < INT32_MAX;
}

// Finds the other Slices of the same value along the same axis, ordered by start. Returns 0 if they
// do not follow each other from the beginning without gaps.
static int find_parts(const Onnx__GraphProto *graph, const struct slice *first,
                      struct slice parts[PARTS_MAX])
{
    int count = 0;
    for (size_t i = 0; i < graph->n_node; i++) {
        struct slice other;
        if (!read_slice(graph, graph->node[i], &other) || other.axis != first->axis ||
            strcmp(other.node->input[0], first->node->input[0]) != 0)
            continue;
        if (count == PARTS_MAX)
            return 0;
        int at = count++;
        for (; at > 0 && parts[at - 1].start > other.start; at--)
            parts[at] = parts[at - 1];
        parts[at] = other;
    }
    for (int i = 0; i < count; i++)
        if (parts[i].start != (i ? parts[i - 1].end : 0))
            return 0;
    return count > 1 ? count : 0;
}

static Onnx__TensorProto *sizes_of(const struct slice *parts, int count, const char *name)
{
    Onnx__TensorProto *tensor = malloc(sizeof *tensor);
    if (!tensor)
        return NULL;
    onnx__tensor_proto__init(tensor);
    tensor->has_data_type = true;
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    tensor->name = strdup(name);
    tensor->dims = calloc(1, sizeof *tensor->dims);
    tensor->int64_data = calloc((size_t)count, sizeof *tensor->int64_data);
    tensor->n_dims = tensor->dims ? 1 : 0;
    tensor->n_int64_data = tensor->int64_data ? (size_t)count : 0;
    if (tensor->n_dims)
        tensor->dims[0] = count;
    for (int i = 0; tensor->int64_data && i < count; i++)
        tensor->int64_data[i] = parts[i].end - parts[i].start;
    return tensor;
}

static bool add_constant(Onnx__GraphProto *graph, Onnx__TensorProto *tensor)
{
    Onnx__TensorProto **all =
        realloc(graph->initializer, (graph->n_initializer + 1) * sizeof *all);
    if (all)
        graph->initializer = all;
    if (!all || !tensor || !tensor->name || !tensor->n_dims || !tensor->n_int64_data) {
        if (tensor)
            onnx__tensor_proto__free_unpacked(tensor, NULL);
        return false;
    }
    all[graph->n_initializer++] = tensor;
    return true;
}

// Replaces a node's operator, inputs, outputs and attributes, and frees the old ones.
static bool become(Onnx__NodeProto *node, const char *op, const char *const *inputs, size_t n_input,
                   char **outputs, size_t n_output)
{
    Onnx__NodeProto *made = malloc(sizeof *made);
    char **taken = calloc(n_input, sizeof *taken);
    if (!made || !taken) {
        free(made);
        free(taken);
        return false;
    }
    onnx__node_proto__init(made);
    made->op_type = strdup(op);
    made->name = node->name ? strdup(node->name) : made->name;
    for (size_t i = 0; i < n_input; i++)
        taken[i] = strdup(inputs[i]);
    made->input = taken;
    made->n_input = n_input;
    made->output = outputs;
    made->n_output = n_output;
    Onnx__NodeProto had = *node;
    *node = *made;
    *made = had;
    onnx__node_proto__free_unpacked(made, NULL);
    return node->op_type != NULL;
}

static bool set_axis(Onnx__NodeProto *node, int64_t axis)
{
    Onnx__AttributeProto *attribute = malloc(sizeof *attribute);
    node->attribute = calloc(1, sizeof *node->attribute);
    if (!attribute || !node->attribute) {
        free(attribute);
        return false;
    }
    onnx__attribute_proto__init(attribute);
    attribute->name = strdup("axis");
    attribute->has_type = attribute->has_i = true;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    attribute->i = axis;
    node->attribute[0] = attribute;
    node->n_attribute = 1;
    return attribute->name != NULL;
}

// Turns the first of them in the graph's order into the Split, and the others into Identity nodes
// for its parts.
static bool join(Onnx__GraphProto *graph, const struct slice *first, const struct slice *parts,
                 int count)
{
    char name[600], part[600];
    char **outputs = calloc((size_t)count, sizeof *outputs);
    snprintf(name, sizeof name, "%.500s#sizes", first->node->output[0]);
    if (!outputs || !add_constant(graph, sizes_of(parts, count, name))) {
        free(outputs);
        return false;
    }
    bool fine = true;
    for (int i = 0; i < count; i++) {
        const char *out = parts[i].node->output[0];
        bool own = parts[i].node == first->node;
        snprintf(part, sizeof part, own ? "%.500s" : "%.500s#part", out);
        outputs[i] = strdup(part);
        char **same = own ? NULL : calloc(1, sizeof *same);
        if (same)
            same[0] = strdup(out);
        if (!own)
            fine &= same && become(parts[i].node, "Identity", (const char *const[]){part}, 1, same,
                                   1);
    }
    const char *const inputs[] = {first->node->input[0], name};
    return fine && become(first->node, "Split", inputs, 2, outputs, (size_t)count) &&
           set_axis(first->node, first->axis);
}

int lq_onnx_join_slices(Onnx__GraphProto *graph)
{
    int joined = 0;
    for (size_t i = 0; i < graph->n_node; i++) {
        struct slice first, parts[PARTS_MAX];
        int count = read_slice(graph, graph->node[i], &first) ? find_parts(graph, &first, parts)
                                                              : 0;
        if (count == 0)
            continue;
        if (!join(graph, &first, parts, count))
            return -1;
        joined++;
    }
    return joined;
}
