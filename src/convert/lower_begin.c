// Set-up before the operators are lowered: names, constants, uses and inputs of a graph.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/lower.h"
#include "convert/tflite_edges.h"

// ---- names

struct naming {
    const char *name;
    int tensor;
    bool edge; // an input or an output: keeps its name when another one has the same
};

static int by_name(const void *a, const void *b)
{
    const struct naming *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order != 0)
        return order;
    return x->edge != y->edge ? y->edge - x->edge : x->tensor - y->tensor;
}

// ONNX requires UTF-8, and names that begin with '#' are our own.
static bool good_name(const char *name)
{
    const uint8_t *p = (const uint8_t *)name;
    if (*p == 0 || *p == '#')
        return false;
    while (*p) {
        int more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2
                 : *p >= 0xf0 && *p < 0xf5 ? 3 : -1;
        if (more < 0 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
            (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static void mark_edges(struct naming *list, struct lq_flat_list ints)
{
    for (int i = 0; i < ints.count; i++)
        list[lq_flat_int(ints, i)].edge = true;
}

// Names every tensor as in the file; if two have the same name, their numbers are added.
static void name_tensors(struct lq_lower *low)
{
    int count = low->model->tensor_count;
    struct naming *list = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *list);
    if (!list)
        return;
    for (int i = 0; i < count; i++)
        list[i] = (struct naming){low->model->tensors[i].name, i, false};
    mark_edges(list, low->model->inputs);
    mark_edges(list, low->model->outputs);
    qsort(list, (size_t)count, sizeof *list, by_name);
    for (int i = 0; i < count; i++) {
        struct lq_tensor_state *slot = &low->slots[list[i].tensor];
        slot->name = list[i].name;
        bool taken = i > 0 && strcmp(list[i].name, list[i - 1].name) == 0;
        bool good = good_name(slot->name);
        if (good && !taken)
            continue;
        char text[600];
        int len = snprintf(text, sizeof text, "%.500s#t%d", good ? slot->name : "", list[i].tensor);
        slot->name = lq_arena_text(&low->graph->arena, text, (size_t)len);
        if (!slot->name)
            lq_graph_fail(low->graph, LQ_ERR_MEMORY, "out of memory for names");
    }
}

// ---- before the operators

// Sets a constant. The number of its bytes must fit its shape and type.
static void make_constant(struct lq_lower *low, int tensor)
{
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_shape shape = lq_shape_of(about->rank, about->dims);
    int64_t items = lq_shape_items(&shape);
    size_t item = lq_onnx_bytes(lq_lower_stored_type(low, tensor));
    // Texts, 4-bit and sparse constants are not read until an operator needs them.
    if (item == 0 || about->sparsity)
        return;
    if (items < 0 || (uint64_t)items > about->bytes / item ||
        about->bytes != (size_t)items * item) {
        lq_graph_fail(low->graph, LQ_ERR_MODEL,
                      "constant '%.80s' has %zu bytes, which do not fill its shape", about->name,
                      about->bytes);
        return;
    }
    slot->shape = shape;
    slot->data = about->data;
    slot->made = true;
}

static void count_users(struct lq_lower *low)
{
    const struct lq_tflite *model = low->model;
    for (int i = 0; i < model->op_count; i++) {
        const struct lq_tflite_op *op = &model->ops[i];
        for (int k = 0; k < op->inputs.count; k++) {
            int tensor = lq_flat_int(op->inputs, k);
            if (tensor < 0)
                continue;
            low->slots[tensor].users++;
            low->slots[tensor].user = i;
        }
        for (int k = 0; k < op->outputs.count; k++)
            low->slots[lq_flat_int(op->outputs, k)].maker = i;
    }
    for (int i = 0; i < model->outputs.count; i++) {
        struct lq_tensor_state *slot = &low->slots[lq_flat_int(model->outputs, i)];
        slot->users++;
        slot->user = -1;
    }
}

static void make_input(struct lq_lower *low, int number)
{
    int tensor = lq_flat_int(low->model->inputs, number);
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_shape shape = lq_shape_of(about->rank, about->dims), stored = shape;
    enum lq_onnx_type type = lq_lower_stored_type(low, tensor);
    if (slot->made || type == LQ_ONNX_NONE) {
        lq_graph_fail(low->graph, LQ_ERR_MODEL, "input '%.80s' is %s", about->name,
                      slot->made ? "named twice or is a constant" : "of a type we do not know");
        return;
    }
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] < 0)
            shape.dims[i] = i == 0 ? LQ_DIM_BATCH : LQ_DIM_OPEN;
    bool moved = low->options->channels_first && lq_tflite_channels_last(low->model, tensor);
    struct lq_axes order =
        moved ? lq_layout_channels_first(shape.rank) : lq_layout_plain(shape.rank);
    stored.rank = shape.rank;
    lq_layout_ints(order, shape.dims, stored.dims);
    if (low->options->real_edges)
        type = lq_lower_real_type(low, tensor);
    struct lq_value *value = lq_graph_input(low->graph, slot->name, type, &stored);
    low->graph->inputs[low->graph->input_count++] = value;
    slot->name_taken = true;
    slot->shape = shape;
    if (low->options->real_edges)
        lq_set(low, tensor, value, order);
    else
        lq_set_stored(low, tensor, value, order);
}

bool lq_lower_begin(struct lq_lower *low)
{
    const struct lq_tflite *model = low->model;
    struct lq_graph *graph = low->graph;
    low->slots = lq_graph_take(graph, (size_t)(model->tensor_count + 1) * sizeof *low->slots);
    low->absorbed = lq_graph_take(graph, (size_t)model->op_count + 1);
    if (graph->status != LQ_OK)
        return false;
    for (int i = 0; i < model->tensor_count; i++) {
        low->slots[i].dequantised_of = low->slots[i].maker = low->slots[i].user = -1;
        low->slots[i].name_taken = low->depth > 0; // only the main graph uses the names
        if (model->tensors[i].data)
            make_constant(low, i);
    }
    count_users(low);
    return graph->status == LQ_OK;
}

// The minimum takes about a third of a second. The steps per byte suffice for a file pruned to one
// value in fifty.
enum { SPARSE_STEPS_LEAST = 1 << 26, SPARSE_STEPS_PER_BYTE = 64 };

void lq_lower_begin_model(struct lq_lower *low)
{
    const struct lq_tflite *model = low->model;
    struct lq_graph *graph = low->graph;
    low->subgraphs = lq_graph_take(graph, sizeof *low->subgraphs);
    graph->inputs = lq_graph_take(graph, (size_t)(model->inputs.count + 1) * sizeof *graph->inputs);
    // Traced, every tensor may become an output too.
    size_t outputs = (size_t)model->outputs.count + (size_t)model->tensor_count;
    graph->outputs = lq_graph_take(graph, outputs * sizeof *graph->outputs);
    if (graph->status != LQ_OK || !lq_lower_begin(low))
        return;
    low->subgraphs->sparse_steps_left =
        SPARSE_STEPS_LEAST + (int64_t)model->len * SPARSE_STEPS_PER_BYTE;
    name_tensors(low);
    for (int i = 0; i < model->inputs.count && graph->status == LQ_OK; i++)
        make_input(low, i);
}
