// Moves a QuantizeLinear and DequantizeLinear pair from after a Concat to each of its inputs:
// OpenVINO 2026.4 crashes (in its low-precision passes) on a Concat whose pair has a zero point and
// is followed by another QuantizeLinear. Quantisation works on single numbers, so the results are
// bit-identical. An input that already has that pair needs no new one; for int8 and int16, TFLite
// requires all inputs of a CONCATENATION to have its quantisation.
#include <string.h>

#include "convert/graph.h"

static bool same_constant(const struct lq_value *a, const struct lq_value *b)
{
    if (a == b)
        return true;
    return a->data && b->data && a->type == b->type && a->bytes == b->bytes &&
           memcmp(a->data, b->data, a->bytes) == 0;
}

// Whether both have the same scale and zero point for the whole tensor, so that each part of it can
// be quantised separately.
static bool same_pair(const struct lq_node *a, const struct lq_node *b)
{
    return a->input_count == 3 && b->input_count == 3 &&
           lq_shape_items(&a->inputs[1]->shape) == 1 && same_constant(a->inputs[1], b->inputs[1]) &&
               same_constant(a->inputs[2], b->inputs[2]);
}

static bool is(const struct lq_node *node, const char *op)
{
    return node && strcmp(node->op, op) == 0;
}

// The QuantizeLinear of a DequantizeLinear with the same scale; NULL: another node computes its
// input.
static const struct lq_node *pair_of(const struct lq_node *dequantise)
{
    if (!is(dequantise, "DequantizeLinear"))
        return NULL;
    const struct lq_node *quantise = dequantise->inputs[0]->maker;
    return is(quantise, "QuantizeLinear") && same_pair(quantise, dequantise) ? quantise : NULL;
}

// Maximum number of values examined behind nested Concats.
enum { VISITS_MAX = 1000 };

static bool lies_on_grid(const struct lq_value *x, const struct lq_node *dequantise, int *visits)
{
    if (is(x->maker, "DequantizeLinear"))
        return same_pair(x->maker, dequantise);
    if (!is(x->maker, "Concat"))
        return false;
    for (int i = 0; i < x->maker->input_count; i++)
        if (--*visits < 0 || !lies_on_grid(x->maker->inputs[i], dequantise, visits))
            return false;
    return true;
}

// Rounds `x` to the pair's grid. New nodes are added at the graph's end.
static struct lq_value *on_grid(struct lq_graph *graph, struct lq_value *x,
                                const struct lq_node *dequantise)
{
    int visits = VISITS_MAX;
    if (lies_on_grid(x, dequantise, &visits))
        return x;
    struct lq_value *scale = dequantise->inputs[1], *zero = dequantise->inputs[2];
    x = lq_graph_add(graph, "QuantizeLinear", LQ_INPUTS(x, scale, zero), LQ_NO_ATTRS);
    return lq_graph_add(graph, "DequantizeLinear", LQ_INPUTS(x, scale, zero), LQ_NO_ATTRS);
}

// Turns the DequantizeLinear into the Concat of the rounded values; its output keeps its name and
// users. `before` is the node before it, or NULL: new nodes are inserted there.
static void move_one(struct lq_graph *graph, struct lq_node *node, struct lq_node *before,
                     const struct lq_node *concat)
{
    size_t count = (size_t)concat->input_count;
    struct lq_value **inputs = lq_graph_take(graph, (count + 1) * sizeof *inputs);
    struct lq_node *end = graph->last;
    for (size_t i = 0; inputs && i < count; i++)
        inputs[i] = on_grid(graph, concat->inputs[i], node);
    if (graph->status != LQ_OK)
        return;
    struct lq_node *added = end->next, *last = graph->last;
    if (added) {
        end->next = NULL;
        graph->last = end;
        *(before ? &before->next : &graph->first) = added;
        last->next = node;
    }
    node->op = "Concat";
    node->inputs = inputs;
    node->input_count = concat->input_count;
    node->attrs = concat->attrs;
}

void lq_graph_move_quantise(struct lq_graph *graph)
{
    struct lq_node *before = NULL;
    for (struct lq_node *node = graph->first; node && graph->status == LQ_OK; node = node->next) {
        const struct lq_node *quantise = pair_of(node);
        const struct lq_node *concat = quantise ? quantise->inputs[0]->maker : NULL;
        if (is(concat, "Concat"))
            move_one(graph, node, before, concat);
        before = node;
    }
}
