// FULLY_CONNECTED and BATCH_MATMUL.
#include "convert/lower.h"
#include "format/tflite_ops.h"

// Computes x [n, in] times the transpose of weights [out, in].
static struct lq_value *gemm(struct lq_lower *low, struct lq_value *x, struct lq_value *w,
                             struct lq_value *bias)
{
    return lq_graph_add(low->graph, "Gemm",
                        bias->type == LQ_ONNX_NONE ? LQ_INPUTS(x, w) : LQ_INPUTS(x, w, bias),
                        LQ_ATTRS(lq_int("transB", 1)));
}

static struct lq_value *weights_value(struct lq_lower *low, int weights, bool quantised,
                                      bool transposed)
{
    struct lq_axes order = {2, {transposed, !transposed}};
    return quantised ? lq_get(low, weights, order) : lq_get_folded(low, weights, order);
}

// A product over the last of several axes, wherever it is stored: a 1x1 convolution, or a matrix
// product from the left or from the right.
static struct lq_value *over_last_axis(struct lq_lower *low, int tensor, int weights,
                                       bool quantised, struct lq_value *bias,
                                       struct lq_axes *order)
{
    struct lq_value *x = lq_get_any(low, tensor, order);
    int rank = order->rank, place = lq_layout_place(*order, rank - 1);
    if (place != rank - 1 && place != rank - 2 && !(rank == 4 && place == 1)) {
        *order = lq_layout_plain(rank);
        x = lq_get(low, tensor, *order);
        place = rank - 1;
    }
    bool biased = bias->type != LQ_ONNX_NONE;
    struct lq_value *w = weights_value(low, weights, quantised, place == rank - 1);
    if (rank == 4 && place == 1 && low->graph->status == LQ_OK) {
        int64_t dims[4] = {w->shape.dims[0], w->shape.dims[1], 1, 1};
        w = lq_reshaped(low, w, dims, 4);
        return lq_graph_add(low->graph, "Conv", biased ? LQ_INPUTS(x, w, bias) : LQ_INPUTS(x, w),
                            LQ_NO_ATTRS);
    }
    struct lq_value *y;
    if (place == rank - 1) {
        y = lq_graph_add(low->graph, "MatMul", LQ_INPUTS(x, w), LQ_NO_ATTRS);
    } else {
        y = lq_graph_add(low->graph, "MatMul", LQ_INPUTS(w, x), LQ_NO_ATTRS);
        if (biased)
            bias = lq_reshaped(low, bias, (int64_t[]){bias->shape.dims[0], 1}, 2);
    }
    return biased ? lq_graph_add(low->graph, "Add", LQ_INPUTS(y, bias), LQ_NO_ATTRS) : y;
}

// Frameworks write a dense layer over the channels of a picture with an open batch as three
// operators: RESHAPE to rows, the product, RESHAPE back. Merged into one, they leave the channels
// where they are stored.
static bool merge_reshapes(struct lq_lower *low, int weights, int *x, int *output)
{
    int maker = low->slots[*x].maker, user = lq_sole_user(low, *output);
    if (maker < 0 || user < 0 || low->absorbed[user])
        return false;
    const struct lq_tflite_op *before = &low->model->ops[maker], *after = &low->model->ops[user];
    if (before->builtin != LQ_OP_RESHAPE || after->builtin != LQ_OP_RESHAPE ||
        before->inputs.count < 1 || after->outputs.count < 1 ||
        lq_flat_int(after->inputs, 0) != *output)
        return false;
    int source = lq_flat_int(before->inputs, 0), target = lq_flat_int(after->outputs, 0);
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, target);
    const int64_t *w = low->slots[weights].shape.dims;
    int rank = lq_lower_rank(low, source), open = 0;
    if (source < 0 || !low->slots[source].made || rank < 3 || about->rank != rank ||
        low->slots[*x].shape.rank != 2 || low->slots[*x].shape.dims[1] != w[1] ||
        low->slots[source].shape.dims[rank - 1] != w[1] || about->dims[rank - 1] != w[0])
        return false;
    // The rows must become the same pixels again: at most one open size can be derived from the
    // others.
    for (int i = 0; i < rank - 1; i++) {
        int64_t size = low->slots[source].shape.dims[i];
        if (size < 0 ? about->dims[i] >= 0 : about->dims[i] != size)
            return false;
        open += size < 0;
    }
    if (open > 1)
        return false;
    low->absorbed[user] = true;
    *x = source;
    *output = target;
    return true;
}

void lq_lower_fully_connected(struct lq_lower *low)
{
    int x = lq_lower_input(low, 0), weights = lq_lower_input(low, 1), b = lq_lower_input(low, 2);
    int output = lq_lower_output(low, 0);
    if (!lq_lower_need(low, x >= 0 && weights >= 0 && low->slots[x].made &&
                                low->slots[weights].made && lq_lower_rank(low, weights) == 2,
                       "its weights must have two dimensions") ||
        !lq_lower_need(low, lq_lower_byte(low, 1, 0) == 0,
                       "its weights are in a shuffled order for one processor"))
        return;
    bool pixels = output >= 0 && merge_reshapes(low, weights, &x, &output);
    bool quantised = lq_lower_quantised(low, x) && lq_lower_quantised(low, weights);
    struct lq_axes order = lq_layout_plain(2);
    struct lq_value *bias = b < 0       ? &low->graph->nothing
                            : quantised ? lq_bias_value(low, b, x, weights)
                                        : lq_get_folded(low, b, lq_layout_plain(1));
    struct lq_value *y;
    int rank = lq_lower_rank(low, x);
    bool keeps = pixels || (lq_lower_byte(low, 2, 0) && rank != 2);
    if (keeps && rank > 2) {
        y = over_last_axis(low, x, weights, quantised, bias, &order);
    } else {
        struct lq_value *flat = lq_get_plain(low, x);
        int64_t in = low->slots[weights].shape.dims[1];
        if (rank != 2)
            flat = lq_reshaped(low, flat, (int64_t[]){-1, in}, 2);
        y = gemm(low, flat, weights_value(low, weights, quantised, false), bias);
        if (keeps) { // of a single vector
            y = lq_reshaped(low, y, (int64_t[]){-1}, 1);
            order = lq_layout_plain(1);
        }
    }
    if (!lq_clip_is_free(low, output, lq_lower_byte(low, 0, 0)))
        y = lq_activate(low, y, lq_lower_byte(low, 0, 0));
    lq_set(low, output, y, order);
}

// Gets a factor as it is stored. *transposed: its last two axes are swapped compared with what the
// product needs. Other unusual orders are transposed to the plain one.
static struct lq_value *factor(struct lq_lower *low, int tensor, bool adjoint, bool *transposed)
{
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, tensor, &order);
    int rank = order.rank;
    struct lq_axes plain = lq_layout_plain(rank), swapped = plain;
    if (!lq_lower_need(low, rank >= 2, "its factors must have two dimensions or more"))
        return value;
    swapped.axis[rank - 2] = (uint8_t)(rank - 1);
    swapped.axis[rank - 1] = (uint8_t)(rank - 2);
    if (lq_is_constant(low, tensor))
        return lq_get(low, tensor, adjoint ? swapped : plain);
    if (!lq_layout_equal(order, plain) && !lq_layout_equal(order, swapped)) {
        // Transpose directly to what the product needs.
        order = adjoint ? swapped : plain;
        value = lq_get(low, tensor, order);
    }
    *transposed = lq_layout_equal(order, swapped) != adjoint;
    return value;
}

static struct lq_value *swap_last(struct lq_lower *low, struct lq_value *value)
{
    int rank = value->shape.rank;
    int64_t perm[LQ_RANK_MAX];
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return lq_graph_add(low->graph, "Transpose", LQ_INPUTS(value),
                        LQ_ATTRS(lq_ints("perm", perm, rank)));
}

void lq_lower_batch_matmul(struct lq_lower *low)
{
    int a = lq_lower_input(low, 0), b = lq_lower_input(low, 1), output = lq_lower_output(low, 0);
    bool a_transposed = false, b_transposed = false;
    if (!lq_lower_need(low, a >= 0 && b >= 0 && low->slots[a].made && low->slots[b].made,
                       "a factor is missing"))
        return;
    struct lq_value *x = factor(low, a, lq_lower_byte(low, 0, 0), &a_transposed);
    struct lq_value *y = factor(low, b, lq_lower_byte(low, 1, 0), &b_transposed);
    if (low->graph->status != LQ_OK)
        return;
    // Both are transposed: (AB)' = B'A', so nothing has to be moved.
    if (a_transposed && b_transposed && x->shape.rank == y->shape.rank) {
        struct lq_value *z = lq_graph_add(low->graph, "MatMul", LQ_INPUTS(y, x), LQ_NO_ATTRS);
        struct lq_axes order = lq_layout_plain(z->shape.rank);
        if (low->graph->status != LQ_OK)
            return;
        order.axis[order.rank - 2] = (uint8_t)(order.rank - 1);
        order.axis[order.rank - 1] = (uint8_t)(order.rank - 2);
        lq_set(low, output, z, order);
        return;
    }
    x = a_transposed ? swap_last(low, x) : x;
    y = b_transposed ? swap_last(low, y) : y;
    lq_set_plain(low, output, lq_graph_add(low->graph, "MatMul", LQ_INPUTS(x, y), LQ_NO_ATTRS));
}
