// Shapes of operators that move numbers: reshaping, slicing, joining, repeating.
#include "convert/infer_rules.h"

int lq_rule_transpose(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_attr *perm = lq_node_attr(node, "perm");
    const struct lq_shape *x = in(node, 0);
    struct lq_shape made = {.rank = x->rank};
    if (!perm || perm->count != x->rank)
        return lq_infer_impossible(graph, node);
    unsigned seen = 0;
    for (int i = 0; i < x->rank; i++) {
        if (perm->ints[i] < 0 || perm->ints[i] >= x->rank || seen >> perm->ints[i] & 1)
            return lq_infer_impossible(graph, node);
        seen |= 1u << perm->ints[i];
        made.dims[i] = x->dims[perm->ints[i]];
    }
    *out(node) = made;
    return LQ_OK;
}

// The value of -1 in a wanted shape: the input's items divided by the other sizes.
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

int lq_rule_reshape(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t wanted[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, wanted), hole = -1;
    struct lq_shape made = {.rank = count};
    if (count < 0) { // only known at run time
        made.rank = in(node, 1)->rank == 1 ? (int)in(node, 1)->dims[0] : -1;
        if (made.rank < 0 || made.rank > LQ_RANK_MAX)
            return lq_infer_impossible(graph, node);
        for (int i = 0; i < made.rank; i++)
            made.dims[i] = LQ_DIM_OPEN;
        *out(node) = made;
        return LQ_OK;
    }
    if (count > LQ_RANK_MAX)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if ((wanted[i] == -1 && hole >= 0) || (wanted[i] == 0 && i >= x->rank) || wanted[i] < -1)
            return lq_infer_impossible(graph, node);
        made.dims[i] = wanted[i] == 0 ? x->dims[i] : wanted[i];
        if (wanted[i] == -1)
            hole = i;
    }
    if (hole >= 0)
        made.dims[hole] = rest_of(x, &made, hole);
    int64_t have = lq_shape_items(x), get = lq_shape_items(&made);
    if (have >= 0 && get >= 0 && have != get)
        return lq_infer_impossible(graph, node);
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_squeeze(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axes[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, axes);
    unsigned gone = 0;
    struct lq_shape made = {0};
    for (int i = 0; i < count; i++) {
        if (!lq_infer_axis(&axes[i], x->rank) || x->dims[axes[i]] > 1)
            return lq_infer_impossible(graph, node);
        gone |= 1u << axes[i];
    }
    for (int i = 0; i < x->rank; i++)
        if (!(gone >> i & 1))
            made.dims[made.rank++] = x->dims[i];
    *out(node) = made;
    return count < 0 ? lq_infer_impossible(graph, node) : LQ_OK;
}

int lq_rule_unsqueeze(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axes[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, axes);
    struct lq_shape made = {.rank = x->rank + count};
    unsigned added = 0;
    if (count < 0 || made.rank > LQ_RANK_MAX)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if (!lq_infer_axis(&axes[i], made.rank) || added >> axes[i] & 1)
            return lq_infer_impossible(graph, node);
        added |= 1u << axes[i];
    }
    for (int i = 0, from = 0; i < made.rank; i++)
        made.dims[i] = added >> i & 1 ? 1 : x->dims[from++];
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_concat(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t axis = lq_node_int(node, "axis", 0);
    if (!lq_infer_axis(&axis, made.rank))
        return lq_infer_impossible(graph, node);
    for (int k = 1; k < node->input_count; k++) {
        const struct lq_shape *x = in(node, k);
        if (x->rank != made.rank || node->inputs[k]->type != node->inputs[0]->type)
            return lq_infer_impossible(graph, node);
        for (int i = 0; i < made.rank; i++) {
            int64_t a = made.dims[i], b = x->dims[i];
            if (i == axis)
                made.dims[i] = a < 0 || b < 0 ? LQ_DIM_OPEN : a + b;
            else if (a >= 0 && b >= 0 && a != b)
                return lq_infer_impossible(graph, node);
            else if (a < 0 && b >= 0)
                made.dims[i] = b;
        }
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_split(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0);
    int64_t axis = lq_node_int(node, "axis", 0), sum = 0;
    const struct lq_value *sizes = node->inputs[1];
    if (!lq_infer_axis(&axis, x->rank) || !sizes->data || sizes->shape.rank != 1 ||
        sizes->shape.dims[0] != node->output_count)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < node->output_count; i++) {
        int64_t size = ((const int64_t *)sizes->data)[i];
        node->outputs[i]->shape = *x;
        node->outputs[i]->shape.dims[axis] = size;
        if (size < 0 || __builtin_add_overflow(sum, size, &sum))
            return lq_infer_impossible(graph, node);
    }
    return x->dims[axis] >= 0 && sum != x->dims[axis] ? lq_infer_impossible(graph, node) : LQ_OK;
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

int lq_rule_slice(struct lq_graph *graph, struct lq_node *node)
{
    int64_t starts[LQ_RANK_MAX * 2], ends[LQ_RANK_MAX * 2], axes[LQ_RANK_MAX * 2],
        steps[LQ_RANK_MAX * 2];
    struct lq_shape made = *in(node, 0);
    int count = lq_infer_ints(node, 3, axes);
    bool known = lq_infer_ints(node, 1, starts) == count && lq_infer_ints(node, 2, ends) == count &&
                 lq_infer_ints(node, 4, steps) == count;
    if (count < 0)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < count; i++) {
        if (!lq_infer_axis(&axes[i], made.rank) ||
            (known && (steps[i] == 0 || steps[i] == INT64_MIN)))
            return lq_infer_impossible(graph, node);
        made.dims[axes[i]] = known ? slice_length(made.dims[axes[i]], starts[i], ends[i], steps[i])
                                   : LQ_DIM_OPEN;
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_gather(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *which = in(node, 1);
    int64_t axis = lq_node_int(node, "axis", 0);
    if (!lq_infer_axis(&axis, x->rank) || x->rank - 1 + which->rank > LQ_RANK_MAX)
        return lq_infer_impossible(graph, node);
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

int lq_rule_gather_nd(struct lq_graph *graph, struct lq_node *node)
{
    const struct lq_shape *x = in(node, 0), *which = in(node, 1);
    int64_t depth = which->rank > 0 ? which->dims[which->rank - 1] : -1;
    int64_t batch = lq_node_int(node, "batch_dims", 0), known = batch + depth;
    if (depth < 1 || batch < 0 || batch >= which->rank || known > x->rank ||
        which->rank - 1 + x->rank - known > LQ_RANK_MAX)
        return lq_infer_impossible(graph, node);
    struct lq_shape made = {0};
    for (int i = 0; i + 1 < which->rank; i++)
        made.dims[made.rank++] = which->dims[i];
    for (int i = (int)known; i < x->rank; i++)
        made.dims[made.rank++] = x->dims[i];
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_pad(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t pads[LQ_RANK_MAX * 2];
    if (lq_infer_ints(node, 1, pads) != 2 * made.rank)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < made.rank; i++) {
        int64_t more = pads[i] + pads[i + made.rank];
        if (made.dims[i] < 0)
            made.dims[i] = more ? LQ_DIM_OPEN : made.dims[i];
        else if ((made.dims[i] += more) < 1)
            return lq_infer_impossible(graph, node);
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_depth_to_space(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t block = lq_node_int(node, "blocksize", 1);
    if (made.rank != 4 || block < 1 || block > 1024 || made.dims[1] % (block * block) != 0)
        return lq_infer_impossible(graph, node);
    made.dims[1] /= block * block;
    for (int i = 2; i < 4; i++)
        made.dims[i] = made.dims[i] < 0 ? LQ_DIM_OPEN : made.dims[i] * block;
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_space_to_depth(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t block = lq_node_int(node, "blocksize", 1);
    if (made.rank != 4 || block < 1 || block > 1024)
        return lq_infer_impossible(graph, node);
    made.dims[1] *= block * block;
    for (int i = 2; i < 4; i++) {
        if (made.dims[i] >= 0 && made.dims[i] % block != 0)
            return lq_infer_impossible(graph, node);
        made.dims[i] = made.dims[i] < 0 ? LQ_DIM_OPEN : made.dims[i] / block;
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_expand(struct lq_graph *graph, struct lq_node *node)
{
    int64_t wanted[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, wanted);
    struct lq_shape target = {.rank = count};
    if (count < 0) {
        int64_t rank = in(node, 1)->rank == 1 ? in(node, 1)->dims[0] : -1;
        if (rank < 0 || rank > LQ_RANK_MAX)
            return lq_infer_impossible(graph, node);
        target.rank = (int)rank;
    }
    if (target.rank > LQ_RANK_MAX)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < target.rank; i++)
        target.dims[i] = count < 0 ? LQ_DIM_OPEN : wanted[i];
    return lq_infer_broadcast(in(node, 0), &target, out(node)) ? LQ_OK
                                                              : lq_infer_impossible(graph, node);
}

int lq_rule_tile(struct lq_graph *graph, struct lq_node *node)
{
    struct lq_shape made = *in(node, 0);
    int64_t times[LQ_RANK_MAX * 2];
    int count = lq_infer_ints(node, 1, times);
    if (count >= 0 && count != made.rank)
        return lq_infer_impossible(graph, node);
    for (int i = 0; i < made.rank; i++) {
        if (count >= 0 && (times[i] < 1 || times[i] > INT32_MAX))
            return lq_infer_impossible(graph, node);
        if (count < 0 || (made.dims[i] < 0 && times[i] != 1))
            made.dims[i] = LQ_DIM_OPEN;
        else if (made.dims[i] >= 0)
            made.dims[i] *= times[i];
    }
    *out(node) = made;
    return LQ_OK;
}

int lq_rule_shape(struct lq_graph *graph, struct lq_node *node)
{
    (void)graph;
    *out(node) = (struct lq_shape){1, {in(node, 0)->rank}};
    node->outputs[0]->type = LQ_ONNX_I64;
    return LQ_OK;
}
