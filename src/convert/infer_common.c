// Helpers shared by the rules.
#include <string.h>

#include "convert/infer_rules.h"

int lq_infer_impossible(struct lq_graph *graph, const struct lq_node *node)
{
    char a[96] = "", b[96] = "";
    if (node->input_count > 0)
        lq_shape_text(&node->inputs[0]->shape, a, sizeof a);
    if (node->input_count > 1)
        lq_shape_text(&node->inputs[1]->shape, b, sizeof b);
    lq_graph_fail(graph, LQ_ERR_MODEL, "shapes do not fit for %s: %s %s", node->op, a, b);
    return graph->status;
}

int lq_infer_ints(const struct lq_node *node, int i, int64_t values[LQ_RANK_MAX * 2])
{
    if (!given(node, i))
        return -1;
    const struct lq_value *value = node->inputs[i];
    int64_t items = lq_shape_items(&value->shape);
    if (!value->data || value->type != LQ_ONNX_I64 || items > LQ_RANK_MAX * 2)
        return -1;
    memcpy(values, value->data, (size_t)items * sizeof *values);
    return (int)items;
}

bool lq_infer_axis(int64_t *axis, int rank)
{
    if (*axis < 0)
        *axis += rank;
    return *axis >= 0 && *axis < rank;
}
