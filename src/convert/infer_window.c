// Shapes of operators that move a window over a picture: convolution, pooling, resizing.
#include <math.h>
#include <string.h>

#include "convert/infer_rules.h"

static int64_t attr_at(const struct lq_attr *attr, int i, int64_t otherwise)
{
    return attr && i < attr->count ? attr->ints[i] : otherwise;
}

// Number of positions of a window along one axis.
static int64_t window_count(const struct lq_node *node, int axis, int64_t size, int64_t kernel)
{
    const struct lq_attr *pads = lq_node_attr(node, "pads"), *same = lq_node_attr(node, "auto_pad");
    int64_t stride = attr_at(lq_node_attr(node, "strides"), axis, 1);
    int64_t dilation = attr_at(lq_node_attr(node, "dilations"), axis, 1);
    int64_t pad = attr_at(pads, axis, 0) + attr_at(pads, axis + (pads ? pads->count / 2 : 0), 0);
    int64_t reach = (kernel - 1) * dilation + 1;
    if (stride < 1 || dilation < 1 || kernel < 1 || pad < 0)
        return 0;
    if (size < 0)
        return stride == 1 && (same || pad == reach - 1) ? size : LQ_DIM_OPEN;
    if (same)
        return (size + stride - 1) / stride;
    return size + pad < reach ? 0 : (size + pad - reach) / stride + 1;
}

int lq_rule_conv(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1);
    int64_t group = lq_node_int(node, "group", 1);
    if (x->rank < 3 || w->rank != x->rank || group < 1 || w->dims[0] < 1 || w->dims[1] < 1 ||
        w->dims[0] % group != 0 || (x->dims[1] >= 0 && x->dims[1] != w->dims[1] * group) ||
        (given(node, 2) && (in(node, 2)->rank != 1 || in(node, 2)->dims[0] != w->dims[0])))
        return lq_infer_impossible(graph, node);
    struct lq_shape made = {x->rank, {x->dims[0], w->dims[0]}};
    for (int i = 2; i < x->rank; i++) {
        made.dims[i] = window_count(node, i - 2, x->dims[i], w->dims[i]);
        if (made.dims[i] == 0)
            return lq_infer_impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_conv_transpose(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1);
    const struct lq_attr *pads = lq_node_attr(node, "pads");
    int axes = x->rank - 2;
    if (x->rank < 3 || w->rank != x->rank || (x->dims[1] >= 0 && x->dims[1] != w->dims[0]))
        return lq_infer_impossible(graph, node);
    struct lq_shape made = {x->rank, {x->dims[0], w->dims[1]}};
    for (int i = 0; i < axes; i++) {
        int64_t stride = attr_at(lq_node_attr(node, "strides"), i, 1);
        int64_t dilation = attr_at(lq_node_attr(node, "dilations"), i, 1);
        int64_t size = (x->dims[2 + i] - 1) * stride + (w->dims[2 + i] - 1) * dilation + 1 +
                       attr_at(lq_node_attr(node, "output_padding"), i, 0) - attr_at(pads, i, 0) -
                       attr_at(pads, i + axes, 0);
        made.dims[2 + i] = x->dims[2 + i] < 0 ? LQ_DIM_OPEN : size;
        if (x->dims[2 + i] >= 0 && size < 1)
            return lq_infer_impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_pool(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *kernel = lq_node_attr(node, "kernel_shape");
    struct lq_shape made = *in(node, 0);
    if (made.rank != 4)
        return lq_infer_impossible(graph, node);
    for (int i = 2; i < made.rank; i++) {
        made.dims[i] = window_count(node, i - 2, made.dims[i], attr_at(kernel, i - 2, 1));
        if (made.dims[i] == 0)
            return lq_infer_impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

// The scaled size; LQ_DIM_OPEN if it is not a valid size.
static int64_t scaled_size(int64_t size, float scale)
{
    float scaled = floorf((float)size * scale);
    bool fine = size >= 0 && scale > 0 && scaled < (float)INT32_MAX;
    return fine ? (int64_t)scaled : LQ_DIM_OPEN;
}

int lq_rule_resize(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    struct lq_shape made = *in(node, 0);
    int64_t sizes[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 3, sizes);
    for (int i = 0; i < made.rank; i++) {
        float scale = 0;
        if (given(node, 2) && node->inputs[2]->data && in(node, 2)->dims[0] == made.rank)
            memcpy(&scale, (const char *)node->inputs[2]->data + 4 * (size_t)i, 4);
        if (count == made.rank)
            made.dims[i] = sizes[i];
        else if (scale != 1)
            made.dims[i] = scaled_size(made.dims[i], scale);
    }
    *out(node) = made;
    return LQ_OK;
}
