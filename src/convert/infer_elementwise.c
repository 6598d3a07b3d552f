// Shapes of element-wise operators.
#include "convert/infer_rules.h"

bool lq_infer_broadcast(const struct lq_shape *a, const struct lq_shape *b, struct lq_shape *to)
{
    struct lq_shape made = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= made.rank; i++) {
        int64_t x = i <= a->rank ? a->dims[a->rank - i] : 1;
        int64_t y = i <= b->rank ? b->dims[b->rank - i] : 1;
        int64_t z = x == 1             ? y
                    : y == 1 || x == y ? x
                    : x < 0 && y < 0   ? LQ_DIM_OPEN
                    : x < 0            ? y
                                       : x;
        if (x > 1 && y > 1 && x != y)
            return false;
        made.dims[made.rank - i] = z;
    }
    *to = made;
    return true;
}

int lq_rule_same(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = *in(node, 0);
    return LQ_OK;
}

// Broadcasts all inputs, which must have the same type.
int lq_rule_broadcast(struct lq_graph *graph, struct lq_node *node)
{
    *out(node) = *in(node, 0);
    for (int i = 1; i < node->input_count; i++)
        if (node->inputs[i]->type != node->inputs[0]->type ||
            !lq_infer_broadcast(out(node), in(node, i), out(node)))
            return lq_infer_impossible(graph, node);
    return LQ_OK;
}

int lq_rule_compare(struct lq_graph *graph, struct lq_node *node)
{
    int status = lq_rule_broadcast(graph, node);
    node->outputs[0]->type = LQ_ONNX_BOOL;
    return status;
}

int lq_rule_where(struct lq_graph *graph, struct lq_node *node)
{
    if (node->inputs[1]->type != node->inputs[2]->type ||
        !lq_infer_broadcast(in(node, 0), in(node, 1), out(node)) ||
        !lq_infer_broadcast(out(node), in(node, 2), out(node)))
        return lq_infer_impossible(graph, node);
    node->outputs[0]->type = node->inputs[1]->type;
    return LQ_OK;
}

// The slope is broadcast to the input's shape, never the other way round.
int lq_rule_prelu(struct lq_graph *graph, struct lq_node *node)
{
    if (!lq_infer_broadcast(in(node, 0), in(node, 1), out(node)) ||
        !lq_shape_equal(out(node), in(node, 0)))
        return lq_infer_impossible(graph, node);
    return LQ_OK;
}

int lq_rule_cast(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = *in(node, 0);
    node->outputs[0]->type = (enum lq_onnx_type)lq_node_int(node, "to", LQ_ONNX_F32);
    return LQ_OK;
}

static bool scales_fit(const struct lq_node *node)
{
    const struct lq_shape *scale = in(node, 1);
    int64_t axis = lq_node_int(node, "axis", 1);
    return scale->rank == 0 || (scale->rank == 1 && lq_infer_axis(&axis, in(node, 0)->rank) &&
                                scale->dims[0] == in(node, 0)->dims[axis]);
}

int lq_rule_quantize(struct lq_graph *graph, struct lq_node *node)
{
    if (!scales_fit(node) || node->inputs[0]->type != LQ_ONNX_F32)
        return lq_infer_impossible(graph, node);
    *out(node) = *in(node, 0);
    node->outputs[0]->type = node->inputs[2]->type;
    return LQ_OK;
}

int lq_rule_dequantize(struct lq_graph *graph, struct lq_node *node)
{
    if (!scales_fit(node))
        return lq_infer_impossible(graph, node);
    *out(node) = *in(node, 0);
    node->outputs[0]->type = LQ_ONNX_F32;
    return LQ_OK;
}
