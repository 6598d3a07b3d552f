// Stores weights as float16, which halves the file. The arithmetic stays float32, so a float16
// model loses no accuracy; engines that compute in float16 use the weights directly.
#include <math.h>
#include <string.h>

#include "convert/graph.h"
#include "engine/f16.h"

enum { ITEMS_LEAST = 32 }; // for fewer, a Cast costs more than it saves

// Marks scales of quantisation and of resizing: engines read them before they run anything.
static void mark_exact(struct lq_graph *graph)
{
    static const char *const ops[] = {"QuantizeLinear", "DequantizeLinear", "Resize"};
    for (struct lq_node *node = graph->first; node; node = node->next)
        for (size_t i = 0; i < LQ_COUNT(ops); i++)
            for (int k = 1; strcmp(node->op, ops[i]) == 0 && k < node->input_count; k++)
                node->inputs[k]->exact = true;
}

static uint16_t *to_halves(struct lq_graph *graph, const struct lq_value *value, int64_t items)
{
    uint16_t *halves = lq_graph_take(graph, (size_t)items * sizeof *halves);
    for (int64_t i = 0; halves && i < items; i++) {
        float number; // the file's constants may be unaligned
        memcpy(&number, (const char *)value->data + 4 * i, 4);
        lq_f16_from_f32(&halves[i], &number, 1);
        if (isfinite(number) && (halves[i] & 0x7fff) == 0x7c00)
            return NULL;
    }
    return halves;
}

// Makes `value` the output of the Cast; its users do not change.
static bool store(struct lq_graph *graph, struct lq_value *value, const uint16_t *halves)
{
    struct lq_value *stored = lq_graph_constant(graph, LQ_ONNX_F16, &value->shape, halves);
    if (graph->status != LQ_OK)
        return false;
    size_t len = strlen(value->name);
    char *name = lq_graph_take(graph, len + sizeof ".f16");
    struct lq_node *cast = lq_graph_take(graph, sizeof *cast);
    struct lq_value **ends = lq_graph_take(graph, 2 * sizeof *ends);
    struct lq_attr *attrs = lq_graph_take(graph, 2 * sizeof *attrs);
    if (graph->status != LQ_OK)
        return false;
    memcpy(name, value->name, len);
    memcpy(name + len, ".f16", sizeof ".f16");
    stored->name = name;
    ends[0] = stored;
    ends[1] = value;
    attrs[0] = lq_int("to", LQ_ONNX_F32);
    *cast = (struct lq_node){.op = "Cast", .input_count = 1, .output_count = 1, .inputs = ends,
                             .outputs = ends + 1, .attrs = attrs, .next = graph->first};
    graph->first = cast;
    value->data = NULL;
    value->maker = cast;
    return true;
}

void lq_graph_store_f16(struct lq_graph *graph)
{
    if (graph->status != LQ_OK)
        return;
    mark_exact(graph);
    struct lq_value *constants = graph->constants;
    graph->constants = NULL; // rebuilt: the remaining ones and the new ones
    while (constants && graph->status == LQ_OK) {
        struct lq_value *value = constants;
        constants = value->next;
        int64_t items = lq_shape_items(&value->shape);
        uint16_t *halves = value->type == LQ_ONNX_F32 && !value->exact && items >= ITEMS_LEAST
                               ? to_halves(graph, value, items)
                               : NULL;
        if (halves && store(graph, value, halves))
            continue;
        value->next = graph->constants;
        graph->constants = value;
    }
}
