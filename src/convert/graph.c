#include "convert/graph.h"

#include <stdio.h>
#include <string.h>

// ---- values and nodes

static struct lq_value *new_value(struct lq_graph *graph)
{
    struct lq_value *value = lq_graph_take(graph, sizeof *value);
    return value ? value : &graph->nothing;
}

struct lq_value *lq_graph_input(struct lq_graph *graph, const char *name, enum lq_onnx_type type,
                                const struct lq_shape *shape)
{
    struct lq_value *value = new_value(graph);
    if (graph->status == LQ_OK) {
        value->name = name;
        value->type = type;
        value->shape = *shape;
    }
    return value;
}

struct lq_value *lq_graph_constant(struct lq_graph *graph, enum lq_onnx_type type,
                                   const struct lq_shape *shape, const void *data)
{
    int64_t items = lq_shape_items(shape);
    struct lq_value *value = new_value(graph);
    if (graph->status != LQ_OK)
        return &graph->nothing;
    if (items < 0 || !data)
        return lq_graph_fail(graph, LQ_ERR_MODEL, "a constant without contents");
    value->type = type;
    value->shape = *shape;
    value->data = data;
    value->bytes = (size_t)items * lq_onnx_bytes(type);
    value->next = graph->constants;
    graph->constants = value;
    return value;
}

static struct lq_value *copied_constant(struct lq_graph *graph, enum lq_onnx_type type,
                                        const struct lq_shape *shape, const void *data)
{
    int64_t items = lq_shape_items(shape);
    size_t size = items > 0 ? (size_t)items * lq_onnx_bytes(type) : 0;
    void *copy = lq_graph_take(graph, size ? size : 1);
    if (!copy)
        return &graph->nothing;
    memcpy(copy, data, size);
    return lq_graph_constant(graph, type, shape, copy);
}

struct lq_value *lq_graph_i64s(struct lq_graph *graph, const int64_t *values, int count)
{
    return copied_constant(graph, LQ_ONNX_I64, &(struct lq_shape){1, {count}}, values);
}

struct lq_value *lq_graph_f32(struct lq_graph *graph, float value)
{
    return copied_constant(graph, LQ_ONNX_F32, &(struct lq_shape){0}, &value);
}

struct lq_value *lq_graph_f32s(struct lq_graph *graph, const float *values,
                               const struct lq_shape *shape)
{
    return copied_constant(graph, LQ_ONNX_F32, shape, values);
}

static struct lq_attr *copy_attrs(struct lq_graph *graph, const struct lq_attr *attrs)
{
    int count = 1;
    while (attrs[count - 1].kind != LQ_ATTR_END)
        count++;
    struct lq_attr *copy = lq_graph_take(graph, (size_t)count * sizeof *copy);
    for (int i = 0; copy && i < count; i++) {
        copy[i] = attrs[i];
        if (attrs[i].kind != LQ_ATTR_INTS || attrs[i].count == 0)
            continue;
        size_t size = (size_t)attrs[i].count * sizeof *attrs[i].ints;
        int64_t *ints = lq_graph_take(graph, size);
        if (!ints)
            return NULL;
        memcpy(ints, attrs[i].ints, size);
        copy[i].ints = ints;
    }
    return copy;
}

void lq_graph_add_many(struct lq_graph *graph, const char *op, struct lq_value **inputs,
                       const struct lq_attr *attrs, struct lq_value **outputs, int count)
{
    for (int i = 0; i < count; i++)
        outputs[i] = &graph->nothing;
    int input_count = 0;
    while (inputs[input_count])
        input_count++;
    if (graph->status != LQ_OK)
        return;
    struct lq_node *node = lq_graph_take(graph, sizeof *node);
    size_t inputs_size = (size_t)(input_count + 1) * sizeof *inputs;
    size_t outputs_size = (size_t)(count + 1) * sizeof *outputs;
    if (node) {
        node->inputs = lq_graph_take(graph, inputs_size);
        node->outputs = lq_graph_take(graph, outputs_size);
        node->attrs = copy_attrs(graph, attrs);
    }
    if (graph->status != LQ_OK)
        return;
    node->op = op;
    node->input_count = input_count;
    node->output_count = count;
    memcpy(node->inputs, inputs, inputs_size);
    for (int i = 0; i < count; i++) {
        node->outputs[i] = new_value(graph);
        node->outputs[i]->maker = node;
    }
    if (graph->status != LQ_OK || lq_infer(graph, node) != LQ_OK)
        return;
    memcpy(outputs, node->outputs, (size_t)count * sizeof *outputs);
    *(graph->last ? &graph->last->next : &graph->first) = node;
    graph->last = node;
}

struct lq_value *lq_graph_add(struct lq_graph *graph, const char *op, struct lq_value **inputs,
                              const struct lq_attr *attrs)
{
    struct lq_value *output;
    lq_graph_add_many(graph, op, inputs, attrs, &output, 1);
    return output;
}

int lq_graph_count(const struct lq_graph *graph, const char *op)
{
    int count = 0;
    for (const struct lq_node *node = graph->first; node; node = node->next)
        count += !op || strcmp(node->op, op) == 0;
    return count;
}

// ---- finishing

static void name_value(struct lq_graph *graph, struct lq_value *value)
{
    char text[32];
    if (value->name)
        return;
    // No tensor of the source has such a name: theirs never begin with '#' (lower_begin.c).
    int len = snprintf(text, sizeof text, "#%d", graph->name_count++);
    value->name = lq_arena_text(&graph->arena, text, (size_t)len);
    if (!value->name)
        lq_graph_fail(graph, LQ_ERR_MEMORY, "out of memory for names");
}

static struct lq_node **nodes_in_order(struct lq_graph *graph, int count)
{
    struct lq_node **nodes = lq_graph_take(graph, (size_t)(count + 1) * sizeof *nodes);
    int i = 0;
    for (struct lq_node *node = graph->first; nodes && node; node = node->next)
        nodes[i++] = node;
    return nodes;
}

void lq_graph_prune(struct lq_graph *graph)
{
    int count = lq_graph_count(graph, NULL);
    struct lq_node **nodes = nodes_in_order(graph, count);
    if (graph->status != LQ_OK)
        return;
    for (int i = 0; i < graph->output_count; i++)
        graph->outputs[i]->used = true;
    // Nodes come after those that compute their inputs, so one backward pass finds all that are
    // needed.
    for (int i = count - 1; i >= 0; i--) {
        for (int o = 0; o < nodes[i]->output_count; o++)
            nodes[i]->used |= nodes[i]->outputs[o]->used;
        for (int k = 0; nodes[i]->used && k < nodes[i]->input_count; k++)
            nodes[i]->inputs[k]->used = true;
    }
    graph->first = graph->last = NULL;
    for (int i = 0; i < count; i++) {
        if (!nodes[i]->used)
            continue;
        nodes[i]->next = NULL;
        *(graph->last ? &graph->last->next : &graph->first) = nodes[i];
        graph->last = nodes[i];
        for (int o = 0; o < nodes[i]->output_count; o++)
            name_value(graph, nodes[i]->outputs[o]);
    }
    struct lq_value **link = &graph->constants;
    while (*link) {
        if ((*link)->used) {
            name_value(graph, *link);
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
        }
    }
}
