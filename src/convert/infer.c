// What a node's outputs look like: one small rule an operator, as the ONNX operator pages (opset 17)
// state them, for those operators that we write. A rule that finds its inputs impossible says so.
#include <math.h>
#include <string.h>

#include "convert/graph.h"

static int impossible(struct lq_graph *graph, const struct lq_node *node)
{
    char a[96] = "", b[96] = "";
    if (node->input_count > 0)
        lq_shape_text(&node->inputs[0]->shape, a, sizeof a);
    if (node->input_count > 1)
        lq_shape_text(&node->inputs[1]->shape, b, sizeof b);
    lq_graph_fail(graph, LQ_ERR_MODEL, "shapes do not fit for %s: %s %s", node->op, a, b);
    return graph->status;
}

// ---- small helpers

static const struct lq_shape *in(const struct lq_node *node, int i)
{
    return &node->inputs[i]->shape;
}

static struct lq_shape *out(const struct lq_node *node)
{
    return &node->outputs[0]->shape;
}

static bool given(const struct lq_node *node, int i)
{
    return i < node->input_count && node->inputs[i]->type != LQ_ONNX_NONE;
}

// The integers of a constant input; count, or -1 when it is none.
static int constant_ints(const struct lq_node *node, int i, int64_t values[LQ_RANK_MAX * 2])
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

static bool axis_of(int64_t *axis, int rank)
{
    if (*axis < 0)
        *axis += rank;
    return *axis >= 0 && *axis < rank;
}

// ---- elementwise

static bool broadcast(const struct lq_shape *a, const struct lq_shape *b, struct lq_shape *to)
{
    struct lq_shape made = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= made.rank; i++) {
        int64_t x = i <= a->rank ? a->dims[a->rank - i] : 1;
        int64_t y = i <= b->rank ? b->dims[b->rank - i] : 1;
        int64_t z = x == 1 ? y : y == 1 || x == y ? x : x < 0 && y < 0 ? LQ_DIM_OPEN : x < 0 ? y : x;
        if (x > 1 && y > 1 && x != y)
            return false;
        made.dims[made.rank - i] = z;
    }
    *to = made;
    return true;
}

static int rule_same(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = *in(node, 0);
    return LQ_OK;
}

// All inputs together; they must be of one type.
static int rule_broadcast(struct lq_graph *graph, struct lq_node *node)
{
    *out(node) = *in(node, 0);
    for (int i = 1; i < node->input_count; i++)
        if (node->inputs[i]->type != node->inputs[0]->type ||
            !broadcast(out(node), in(node, i), out(node)))
            return impossible(graph, node);
    return LQ_OK;
}

static int rule_compare(struct lq_graph *graph, struct lq_node *node)
{
    int status = rule_broadcast(graph, node);
    node->outputs[0]->type = LQ_ONNX_BOOL;
    return status;
}

static int rule_where(struct lq_graph *graph, struct lq_node *node)
{
    if (node->inputs[1]->type != node->inputs[2]->type ||
        !broadcast(in(node, 0), in(node, 1), out(node)) ||
        !broadcast(out(node), in(node, 2), out(node)))
        return impossible(graph, node);
    node->outputs[0]->type = node->inputs[1]->type;
    return LQ_OK;
}

// The slope fits under the input, never the other way round.
static int rule_prelu(struct lq_graph *graph, struct lq_node *node)
{
    if (!broadcast(in(node, 0), in(node, 1), out(node)) || !lq_shape_equal(out(node), in(node, 0)))
        return impossible(graph, node);
    return LQ_OK;
}

static int rule_cast(struct lq_graph *graph, struct lq_node *node)
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
    return scale->rank == 0 || (scale->rank == 1 && axis_of(&axis, in(node, 0)->rank) &&
                                scale->dims[0] == in(node, 0)->dims[axis]);
}

static int rule_quantize(struct lq_graph *graph, struct lq_node *node)
{
    if (!scales_fit(node) || node->inputs[0]->type != LQ_ONNX_F32)
        return impossible(graph, node);
    *out(node) = *in(node, 0);
    node->outputs[0]->type = node->inputs[2]->type;
    return LQ_OK;
}

static int rule_dequantize(struct lq_graph *graph, struct lq_node *node)
{
    if (!scales_fit(node))
        return impossible(graph, node);
    *out(node) = *in(node, 0);
    node->outputs[0]->type = LQ_ONNX_F32;
    return LQ_OK;
}

// ---- windows

static int64_t attr_at(const struct lq_attr *attr, int i, int64_t otherwise)
{
    return attr && i < attr->count ? attr->ints[i] : otherwise;
}

// Positions of a window over one axis.
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

static int rule_conv(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1);
    int64_t group = lq_node_int(node, "group", 1);
    if (x->rank < 3 || w->rank != x->rank || group < 1 || w->dims[0] < 1 || w->dims[1] < 1 ||
        w->dims[0] % group != 0 || (x->dims[1] >= 0 && x->dims[1] != w->dims[1] * group) ||
        (given(node, 2) && (in(node, 2)->rank != 1 || in(node, 2)->dims[0] != w->dims[0])))
        return impossible(graph, node);
    struct lq_shape made = {x->rank, {x->dims[0], w->dims[0]}};
    for (int i = 2; i < x->rank; i++) {
        made.dims[i] = window_count(node, i - 2, x->dims[i], w->dims[i]);
        if (made.dims[i] == 0)
            return impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_conv_transpose(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1);
    const struct lq_attr *pads = lq_node_attr(node, "pads");
    int axes = x->rank - 2;
    if (x->rank < 3 || w->rank != x->rank || (x->dims[1] >= 0 && x->dims[1] != w->dims[0]))
        return impossible(graph, node);
    struct lq_shape made = {x->rank, {x->dims[0], w->dims[1]}};
    for (int i = 0; i < axes; i++) {
        int64_t stride = attr_at(lq_node_attr(node, "strides"), i, 1);
        int64_t dilation = attr_at(lq_node_attr(node, "dilations"), i, 1);
        int64_t size = (x->dims[2 + i] - 1) * stride + (w->dims[2 + i] - 1) * dilation + 1 +
                       attr_at(lq_node_attr(node, "output_padding"), i, 0) - attr_at(pads, i, 0) -
                       attr_at(pads, i + axes, 0);
        made.dims[2 + i] = x->dims[2 + i] < 0 ? LQ_DIM_OPEN : size;
        if (x->dims[2 + i] >= 0 && size < 1)
            return impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_pool(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *kernel = lq_node_attr(node, "kernel_shape");
    struct lq_shape made = *in(node, 0);
    if (made.rank != 4)
        return impossible(graph, node);
    for (int i = 2; i < made.rank; i++) {
        made.dims[i] = window_count(node, i - 2, made.dims[i], attr_at(kernel, i - 2, 1));
        if (made.dims[i] == 0)
            return impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_resize(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    struct lq_shape made = *in(node, 0);
    int64_t sizes[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 3, sizes);
    for (int i = 0; i < made.rank; i++) {
        float scale = 0;
        if (given(node, 2) && node->inputs[2]->data && in(node, 2)->dims[0] == made.rank)
            memcpy(&scale, (const char *)node->inputs[2]->data + 4 * (size_t)i, 4);
        if (count == made.rank)
            made.dims[i] = sizes[i];
        else if (scale != 1)
            made.dims[i] = scale > 0 && made.dims[i] >= 0 ? (int64_t)floorf((float)made.dims[i] * scale)
                                                          : LQ_DIM_OPEN;
    }
    *out(node) = made;
    return LQ_OK;
}

// ---- products

static int rule_matmul(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *a = in(node, 0), *b = in(node, 1);
    if (a->rank < 2 || b->rank < 2)
        return impossible(graph, node);
    int64_t inner = a->dims[a->rank - 1], other = b->dims[b->rank - 2];
    struct lq_shape x = *a, y = *b, made;
    x.rank -= 2;
    y.rank -= 2;
    if ((inner >= 0 && other >= 0 && inner != other) || !broadcast(&x, &y, &made))
        return impossible(graph, node);
    made.dims[made.rank++] = a->dims[a->rank - 2];
    made.dims[made.rank++] = b->dims[b->rank - 1];
    *out(node) = made;
    return LQ_OK;
}

static int rule_gemm(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *a = in(node, 0), *b = in(node, 1);
    bool turned = lq_node_int(node, "transB", 0);
    if (a->rank != 2 || b->rank != 2 ||
        (a->dims[1] >= 0 && b->dims[turned] >= 0 && a->dims[1] != b->dims[turned]))
        return impossible(graph, node);
    *out(node) = (struct lq_shape){2, {a->dims[0], b->dims[!turned]}};
    if (given(node, 2)) {
        struct lq_shape made;
        if (!broadcast(out(node), in(node, 2), &made) || !lq_shape_equal(&made, out(node)))
            return impossible(graph, node);
    }
    return LQ_OK;
}

// ---- moving things about

static int rule_transpose(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *perm = lq_node_attr(node, "perm");
    const struct lq_shape *x = in(node, 0);
    struct lq_shape made = {.rank = x->rank};
    if (!perm || perm->count != x->rank)
        return impossible(graph, node);
    unsigned seen = 0;
    for (int i = 0; i < x->rank; i++) {
        if (perm->ints[i] < 0 || perm->ints[i] >= x->rank || seen >> perm->ints[i] & 1)
            return impossible(graph, node);
        seen |= 1u << perm->ints[i];
        made.dims[i] = x->dims[perm->ints[i]];
    }
    *out(node) = made;
    return LQ_OK;
}

// What -1 in a wanted shape comes to: what of the input the other sizes leave over.
static int64_t rest_of(const struct lq_shape *x, const struct lq_shape *made, int hole)
{
    int64_t have = 1, want = 1;
    int batches = 0, opens = 0;
    for (int i = 0; i < x->rank; i++) {
        if (x->dims[i] >= 0 && __builtin_mul_overflow(have, x->dims[i], &have))
            return LQ_DIM_OPEN;
        batches += x->dims[i] == LQ_DIM_BATCH;
        opens += x->dims[i] == LQ_DIM_OPEN;
    }
    for (int i = 0; i < made->rank; i++) {
        if (i == hole)
            continue;
        if (made->dims[i] >= 0 && __builtin_mul_overflow(want, made->dims[i], &want))
            return LQ_DIM_OPEN;
        batches -= made->dims[i] == LQ_DIM_BATCH;
        opens -= made->dims[i] == LQ_DIM_OPEN;
    }
    if (batches == 0 && opens == 0)
        return want > 0 && have % want == 0 ? have / want : 0;
    return batches == 1 && opens == 0 && have == want ? LQ_DIM_BATCH : LQ_DIM_OPEN;
}

static int rule_reshape(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t wanted[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, wanted), hole = -1;
    struct lq_shape made = {.rank = count};
    if (count < 0) { // known only when it runs
        made.rank = in(node, 1)->rank == 1 ? (int)in(node, 1)->dims[0] : -1;
        if (made.rank < 0 || made.rank > LQ_RANK_MAX)
            return impossible(graph, node);
        for (int i = 0; i < made.rank; i++)
            made.dims[i] = LQ_DIM_OPEN;
        *out(node) = made;
        return LQ_OK;
    }
    if (count > LQ_RANK_MAX)
        return impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if ((wanted[i] == -1 && hole >= 0) || (wanted[i] == 0 && i >= x->rank) || wanted[i] < -1)
            return impossible(graph, node);
        made.dims[i] = wanted[i] == 0 ? x->dims[i] : wanted[i];
        if (wanted[i] == -1)
            hole = i;
    }
    if (hole >= 0)
        made.dims[hole] = rest_of(x, &made, hole);
    int64_t have = lq_shape_items(x), get = lq_shape_items(&made);
    if (have >= 0 && get >= 0 && have != get)
        return impossible(graph, node);
    *out(node) = made;
    return LQ_OK;
}

static int rule_squeeze(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axes[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, axes);
    unsigned gone = 0;
    struct lq_shape made = {0};
    for (int i = 0; i < count; i++) {
        if (!axis_of(&axes[i], x->rank) || x->dims[axes[i]] > 1)
            return impossible(graph, node);
        gone |= 1u << axes[i];
    }
    for (int i = 0; i < x->rank; i++)
        if (!(gone >> i & 1))
            made.dims[made.rank++] = x->dims[i];
    *out(node) = made;
    return count < 0 ? impossible(graph, node) : LQ_OK;
}

static int rule_unsqueeze(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axes[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, axes);
    struct lq_shape made = {.rank = x->rank + count};
    unsigned added = 0;
    if (count < 0 || made.rank > LQ_RANK_MAX)
        return impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if (!axis_of(&axes[i], made.rank) || added >> axes[i] & 1)
            return impossible(graph, node);
        added |= 1u << axes[i];
    }
    for (int i = 0, from = 0; i < made.rank; i++)
        made.dims[i] = added >> i & 1 ? 1 : x->dims[from++];
    *out(node) = made;
    return LQ_OK;
}

static int rule_concat(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t axis = lq_node_int(node, "axis", 0);
    if (!axis_of(&axis, made.rank))
        return impossible(graph, node);
    for (int k = 1; k < node->input_count; k++) {
        const struct lq_shape *x = in(node, k);
        if (x->rank != made.rank || node->inputs[k]->type != node->inputs[0]->type)
            return impossible(graph, node);
        for (int i = 0; i < made.rank; i++) {
            int64_t a = made.dims[i], b = x->dims[i];
            if (i == axis)
                made.dims[i] = a < 0 || b < 0 ? LQ_DIM_OPEN : a + b;
            else if (a >= 0 && b >= 0 && a != b)
                return impossible(graph, node);
            else if (a < 0 && b >= 0)
                made.dims[i] = b;
        }
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_split(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axis = lq_node_int(node, "axis", 0), sum = 0;
    const struct lq_value *sizes = node->inputs[1];
    if (!axis_of(&axis, x->rank) || !sizes->data || sizes->shape.rank != 1 ||
        sizes->shape.dims[0] != node->output_count)
        return impossible(graph, node);
    for (int i = 0; i < node->output_count; i++) {
        int64_t size = ((const int64_t *)sizes->data)[i];
        node->outputs[i]->shape = *x;
        node->outputs[i]->shape.dims[axis] = size;
        if (size < 0 || __builtin_add_overflow(sum, size, &sum))
            return impossible(graph, node);
    }
    return x->dims[axis] >= 0 && sum != x->dims[axis] ? impossible(graph, node) : LQ_OK;
}

static int64_t slice_length(int64_t size, int64_t start, int64_t end, int64_t step)
{
    if (size < 0)
        return start == 0 && end == INT64_MAX && step == 1 ? size : LQ_DIM_OPEN;
    if (start < 0)
        start += size;
    if (end < 0)
        end = end < -size ? -1 : end + size;
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    if (start < 0)
        start = 0;
    start = start > high ? high : start;
    end = end < low ? low : end > high ? high : end;
    int64_t span = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
    return span > 0 ? (span - 1) / stride + 1 : 0;
}

static int rule_slice(struct lq_graph *graph, struct lq_node *node)
{
    int64_t starts[LQ_RANK_MAX * 2], ends[LQ_RANK_MAX * 2], axes[LQ_RANK_MAX * 2],
        steps[LQ_RANK_MAX * 2];
    struct lq_shape made = *in(node, 0);
    int count = constant_ints(node, 3, axes);
    bool known = constant_ints(node, 1, starts) == count && constant_ints(node, 2, ends) == count &&
                 constant_ints(node, 4, steps) == count;
    if (count < 0)
        return impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if (!axis_of(&axes[i], made.rank) || (known && (steps[i] == 0 || steps[i] == INT64_MIN)))
            return impossible(graph, node);
        made.dims[axes[i]] = known ? slice_length(made.dims[axes[i]], starts[i], ends[i], steps[i])
                                   : LQ_DIM_OPEN;
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_gather(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *which = in(node, 1);
    int64_t axis = lq_node_int(node, "axis", 0);
    if (!axis_of(&axis, x->rank) || x->rank - 1 + which->rank > LQ_RANK_MAX)
        return impossible(graph, node);
    struct lq_shape made = {0};
    for (int i = 0; i < axis; i++)
        made.dims[made.rank++] = x->dims[i];
    for (int i = 0; i < which->rank; i++)
        made.dims[made.rank++] = which->dims[i];
    for (int i = (int)axis + 1; i < x->rank; i++)
        made.dims[made.rank++] = x->dims[i];
    *out(node) = made;
    return LQ_OK;
}

static int rule_gather_nd(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *which = in(node, 1);
    int64_t depth = which->rank > 0 ? which->dims[which->rank - 1] : -1;
    int64_t batch = lq_node_int(node, "batch_dims", 0), known = batch + depth;
    if (depth < 1 || batch < 0 || batch >= which->rank || known > x->rank ||
        which->rank - 1 + x->rank - known > LQ_RANK_MAX)
        return impossible(graph, node);
    struct lq_shape made = {0};
    for (int i = 0; i + 1 < which->rank; i++)
        made.dims[made.rank++] = which->dims[i];
    for (int i = (int)known; i < x->rank; i++)
        made.dims[made.rank++] = x->dims[i];
    *out(node) = made;
    return LQ_OK;
}

static int rule_pad(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t pads[LQ_RANK_MAX * 2];
    if (constant_ints(node, 1, pads) != 2 * made.rank)
        return impossible(graph, node);
    for (int i = 0; i < made.rank; i++) {
        int64_t more = pads[i] + pads[i + made.rank];
        if (made.dims[i] < 0)
            made.dims[i] = more ? LQ_DIM_OPEN : made.dims[i];
        else if ((made.dims[i] += more) < 1)
            return impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_depth_to_space(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t block = lq_node_int(node, "blocksize", 1);
    if (made.rank != 4 || block < 1 || block > 1024 || made.dims[1] % (block * block) != 0)
        return impossible(graph, node);
    made.dims[1] /= block * block;
    for (int i = 2; i < 4; i++)
        made.dims[i] = made.dims[i] < 0 ? LQ_DIM_OPEN : made.dims[i] * block;
    *out(node) = made;
    return LQ_OK;
}

static int rule_space_to_depth(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t block = lq_node_int(node, "blocksize", 1);
    if (made.rank != 4 || block < 1 || block > 1024)
        return impossible(graph, node);
    made.dims[1] *= block * block;
    for (int i = 2; i < 4; i++) {
        if (made.dims[i] >= 0 && made.dims[i] % block != 0)
            return impossible(graph, node);
        made.dims[i] = made.dims[i] < 0 ? LQ_DIM_OPEN : made.dims[i] / block;
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_expand(struct lq_graph *graph, struct lq_node *node)
{
    int64_t wanted[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, wanted);
    struct lq_shape target = {.rank = count};
    if (count < 0) {
        int64_t rank = in(node, 1)->rank == 1 ? in(node, 1)->dims[0] : -1;
        if (rank < 0 || rank > LQ_RANK_MAX)
            return impossible(graph, node);
        target.rank = (int)rank;
    }
    if (target.rank > LQ_RANK_MAX)
        return impossible(graph, node);
    for (int i = 0; i < target.rank; i++)
        target.dims[i] = count < 0 ? LQ_DIM_OPEN : wanted[i];
    return broadcast(in(node, 0), &target, out(node)) ? LQ_OK : impossible(graph, node);
}

static int rule_tile(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t times[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, times);
    if (count >= 0 && count != made.rank)
        return impossible(graph, node);
    for (int i = 0; i < made.rank; i++) {
        if (count >= 0 && (times[i] < 1 || times[i] > INT32_MAX))
            return impossible(graph, node);
        if (count < 0 || (made.dims[i] < 0 && times[i] != 1))
            made.dims[i] = LQ_DIM_OPEN;
        else if (made.dims[i] >= 0)
            made.dims[i] *= times[i];
    }
    *out(node) = made;
    return LQ_OK;
}

static int rule_shape(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = (struct lq_shape){1, {in(node, 0)->rank}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}

// ---- reducing

static int reduce(struct lq_graph *graph, struct lq_node *node, const int64_t *list, int count)
{
    const struct lq_shape *x = in(node, 0);
    bool keep = lq_node_int(node, "keepdims", 1);
    unsigned gone = 0;
    for (int i = 0; i < count; i++) {
        int64_t axis = list[i];
        if (!axis_of(&axis, x->rank))
            return impossible(graph, node);
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

static int rule_reduce(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *axes = lq_node_attr(node, "axes");
    return axes ? reduce(graph, node, axes->ints, axes->count) : impossible(graph, node);
}

static int rule_reduce_sum(struct lq_graph *graph, struct lq_node *node)
{
    int64_t axes[LQ_RANK_MAX * 2];
    int count = constant_ints(node, 1, axes);
    return count >= 0 ? reduce(graph, node, axes, count) : impossible(graph, node);
}

static int rule_arg(struct lq_graph *graph, struct lq_node *node)
{
    int64_t axis = lq_node_int(node, "axis", 0);
    int status = reduce(graph, node, &axis, 1);
    node->outputs[0]->type = LQ_ONNX_I64;
    return status;
}

static int rule_top_k(struct lq_graph *graph, struct lq_node *node)
{
    int64_t k[LQ_RANK_MAX * 2], axis = lq_node_int(node, "axis", -1);
    struct lq_shape made = *in(node, 0);
    if (constant_ints(node, 1, k) != 1 || !axis_of(&axis, made.rank) || k[0] < 1 ||
        (made.dims[axis] >= 0 && k[0] > made.dims[axis]))
        return impossible(graph, node);
    made.dims[axis] = k[0];
    node->outputs[0]->shape = node->outputs[1]->shape = made;
    node->outputs[1]->type = LQ_ONNX_I64;
    return LQ_OK;
}

static int rule_non_zero(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = (struct lq_shape){2, {in(node, 0)->rank, LQ_DIM_OPEN}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}

static int rule_non_max_suppression(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *boxes = in(node, 0), *scores = in(node, 1);
    if (boxes->rank != 3 || boxes->dims[2] != 4 || scores->rank != 3 ||
        node->inputs[0]->type != LQ_ONNX_F32 || node->inputs[1]->type != LQ_ONNX_F32)
        return impossible(graph, node);
    *out(node) = (struct lq_shape){2, {LQ_DIM_OPEN, 3}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}

// ---- recurrence: X [time, batch, in], R [directions, gates * hidden, hidden]
// gives Y [time, directions, batch, hidden]

static int rule_recurrent(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *w = in(node, 1), *r = in(node, 2);
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || r->dims[2] < 1 ||
        r->dims[1] % r->dims[2] != 0 || w->dims[1] != r->dims[1] || w->dims[0] != r->dims[0] ||
        (x->dims[2] >= 0 && x->dims[2] != w->dims[2]))
        return impossible(graph, node);
    *out(node) = (struct lq_shape){4, {x->dims[0], r->dims[0], x->dims[1], r->dims[2]}};
    return LQ_OK;
}

static const struct {
    const char *op;
    int (*rule)(struct lq_graph *graph, struct lq_node *node);
} rules[] = {
    {"Abs", rule_same}, {"Add", rule_broadcast}, {"And", rule_broadcast}, {"ArgMax", rule_arg},
    {"ArgMin", rule_arg}, {"AveragePool", rule_pool}, {"Cast", rule_cast}, {"Ceil", rule_same},
    {"Clip", rule_same}, {"Concat", rule_concat}, {"Conv", rule_conv},
    {"ConvTranspose", rule_conv_transpose}, {"Cos", rule_same}, {"CumSum", rule_same},
    {"DepthToSpace", rule_depth_to_space}, {"DequantizeLinear", rule_dequantize},
    {"Div", rule_broadcast}, {"Elu", rule_same}, {"Equal", rule_compare}, {"Erf", rule_same},
    {"Exp", rule_same}, {"Expand", rule_expand}, {"Floor", rule_same}, {"Gather", rule_gather},
    {"GatherND", rule_gather_nd}, {"Gemm", rule_gemm}, {"Greater", rule_compare},
    {"GreaterOrEqual", rule_compare}, {"HardSwish", rule_same}, {"Identity", rule_same},
    {"LRN", rule_same}, {"LSTM", rule_recurrent}, {"LeakyRelu", rule_same},
    {"Less", rule_compare},
    {"LessOrEqual", rule_compare}, {"Log", rule_same}, {"LogSoftmax", rule_same},
    {"MatMul", rule_matmul}, {"Max", rule_broadcast}, {"MaxPool", rule_pool},
    {"Min", rule_broadcast}, {"Mod", rule_broadcast}, {"Mul", rule_broadcast}, {"Neg", rule_same},
    {"NonMaxSuppression", rule_non_max_suppression}, {"NonZero", rule_non_zero},
    {"Not", rule_same}, {"Or", rule_broadcast}, {"PRelu", rule_prelu}, {"Pad", rule_pad},
    {"Pow", rule_broadcast}, {"QuantizeLinear", rule_quantize}, {"Reciprocal", rule_same},
    {"ReduceL2", rule_reduce}, {"ReduceMax", rule_reduce}, {"ReduceMean", rule_reduce},
    {"ReduceMin", rule_reduce}, {"ReduceProd", rule_reduce}, {"ReduceSum", rule_reduce_sum},
    {"RNN", rule_recurrent}, {"Relu", rule_same}, {"Reshape", rule_reshape},
    {"Resize", rule_resize},
    {"ReverseSequence", rule_same}, {"Round", rule_same},
    {"ScatterND", rule_same}, {"Shape", rule_shape}, {"Sigmoid", rule_same},
    {"Sign", rule_same}, {"Sin", rule_same},
    {"Slice", rule_slice}, {"Softmax", rule_same}, {"SpaceToDepth", rule_space_to_depth},
    {"Split", rule_split}, {"Sqrt", rule_same}, {"Squeeze", rule_squeeze},
    {"Sub", rule_broadcast}, {"Tanh", rule_same}, {"Tile", rule_tile}, {"TopK", rule_top_k},
    {"Transpose", rule_transpose}, {"Unsqueeze", rule_unsqueeze}, {"Where", rule_where},
};

// Sizes that no real network has: they keep the rules' own arithmetic from overflowing.
static bool absurd(const struct lq_shape *shape)
{
    double items = 1;
    for (int i = 0; i < shape->rank; i++) {
        items *= shape->dims[i] < 0 ? 1 : (double)shape->dims[i];
        if (shape->dims[i] > INT32_MAX)
            return true;
    }
    return items > 1e12;
}

int lq_infer(struct lq_graph *graph, struct lq_node *node)
{
    int status = LQ_ERR_MODEL;
    size_t i = 0;
    while (i < LQ_COUNT(rules) && strcmp(rules[i].op, node->op) != 0)
        i++;
    if (i == LQ_COUNT(rules)) {
        lq_graph_fail(graph, LQ_ERR_MODEL, "no rule for the shape of %s", node->op);
        return status;
    }
    for (int o = 0; o < node->output_count; o++)
        node->outputs[o]->type = node->inputs[0]->type;
    status = rules[i].rule(graph, node);
    for (int o = 0; o < node->output_count && status == LQ_OK; o++)
        if (absurd(&node->outputs[o]->shape))
            status = impossible(graph, node);
    return status;
}
