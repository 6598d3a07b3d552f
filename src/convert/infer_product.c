// Shapes of matrix products, and of the recurrent networks built from them.
#include "convert/infer_rules.h"

int lq_rule_matmul(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *a = in(node, 0), *b = in(node, 1);
    if (a->rank < 2 || b->rank < 2)
        return lq_infer_impossible(graph, node);
    int64_t inner = a->dims[a->rank - 1], other = b->dims[b->rank - 2];
    struct lq_shape x = *a, y = *b, made;
    x.rank -= 2;
    y.rank -= 2;
    if ((inner >= 0 && other >= 0 && inner != other) || !lq_infer_broadcast(&x, &y, &made))
        return lq_infer_impossible(graph, node);
    made.dims[made.rank++] = a->dims[a->rank - 2];
    made.dims[made.rank++] = b->dims[b->rank - 1];
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_gemm(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *a = in(node, 0), *b = in(node, 1);
    bool transposed = lq_node_int(node, "transB", 0);
    if (a->rank != 2 || b->rank != 2 ||
        (a->dims[1] >= 0 && b->dims[transposed] >= 0 && a->dims[1] != b->dims[transposed]))
        return lq_infer_impossible(graph, node);
    *out(node) = (struct lq_shape){2, {a->dims[0], b->dims[!transposed]}};
    if (given(node, 2)) {
        struct lq_shape made;
        if (!lq_infer_broadcast(out(node), in(node, 2), &made) || !lq_shape_equal(&made, out(node)))
            return lq_infer_impossible(graph, node);
    }
    return LQ_OK;
}

// X [time, batch, in], R [directions, gates * hidden, hidden] gives
// Y [time, directions, batch, hidden].
int lq_rule_recurrent(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1), *r = in(node, 2);
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || r->dims[2] < 1 ||
        r->dims[1] % r->dims[2] != 0 || w->dims[1] != r->dims[1] || w->dims[0] != r->dims[0] ||
        (x->dims[2] >= 0 && x->dims[2] != w->dims[2]))
        return lq_infer_impossible(graph, node);
    *out(node) = (struct lq_shape){4, {x->dims[0], r->dims[0], x->dims[1], r->dims[2]}};
    return LQ_OK;
}
