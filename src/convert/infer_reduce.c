// Shapes of operators that reduce an axis or select from it.
#include "convert/infer_rules.h"

static int reduce(struct lq_graph *graph, struct lq_node *node, const int64_t *list, int count)
{
    const struct lq_shape *x = in(node, 0);
    bool keep = lq_node_int(node, "keepdims", 1);
    unsigned gone = 0;
    for (int i = 0; i < count; i++) {
        int64_t axis = list[i];
        if (!lq_infer_axis(&axis, x->rank))
            return lq_infer_impossible(graph, node);
        gone |= 1u << axis;
    }
    struct lq_shape made = {0};
    for (int i = 0; i < x->rank; i++)
        if (!(gone >> i & 1))
            made.dims[made.rank++] = x->dims[i];
        else if (keep)
            made.dims[made.rank++] = 1;
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_reduce(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *axes = lq_node_attr(node, "axes");
    return axes ? reduce(graph, node, axes->ints, axes->count) : lq_infer_impossible(graph, node);
}

int lq_rule_reduce_sum(struct lq_graph *graph, struct lq_node *node)
{
    int64_t axes[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, axes);
    return count >= 0 ? reduce(graph, node, axes, count) : lq_infer_impossible(graph, node);
}

int lq_rule_arg(struct lq_graph *graph, struct lq_node *node)
{
    int64_t axis = lq_node_int(node, "axis", 0);
    int status = reduce(graph, node, &axis, 1);
    node->outputs[0]->type = LQ_ONNX_I64;
    return status;
}

int lq_rule_top_k(struct lq_graph *graph, struct lq_node *node)
{
    int64_t k[LQ_RANK_MAX * 2], axis = lq_node_int(node, "axis", -1);
    struct lq_shape made = *in(node, 0);
    if (lq_infer_ints(node, 1, k) != 1 || !lq_infer_axis(&axis, made.rank) || k[0] < 1 ||
        (made.dims[axis] >= 0 && k[0] > made.dims[axis]))
        return lq_infer_impossible(graph, node);
    made.dims[axis] = k[0];
    node->outputs[0]->shape = node->outputs[1]->shape = made;
    node->outputs[1]->type = LQ_ONNX_I64;
    return LQ_OK;
}

int lq_rule_non_zero(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = (struct lq_shape){2, {in(node, 0)->rank, LQ_DIM_OPEN}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}

int lq_rule_non_max_suppression(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *boxes = in(node, 0), *scores = in(node, 1);
    if (boxes->rank != 3 || boxes->dims[2] != 4 || scores->rank != 3 ||
        node->inputs[0]->type != LQ_ONNX_F32 || node->inputs[1]->type != LQ_ONNX_F32)
        return lq_infer_impossible(graph, node);
    *out(node) = (struct lq_shape){2, {LQ_DIM_OPEN, 3}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}
