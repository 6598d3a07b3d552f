// Visits the model's operators once, in order, and lowers each according to the table below.
#include "convert/lower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/tflite_ops.h"

static const struct {
    int builtin;
    lq_lower_fn *lower;
} table[] = {
    // convolutions and products
    {LQ_OP_CONV_2D, lq_lower_conv},
    {LQ_OP_DEPTHWISE_CONV_2D, lq_lower_depthwise},
    {LQ_OP_TRANSPOSE_CONV, lq_lower_transpose_conv},
    {LQ_OP_CONV_3D, lq_lower_conv_3d},
    {LQ_OP_CONV_3D_TRANSPOSE, lq_lower_conv_3d_transpose},
    {LQ_OP_FULLY_CONNECTED, lq_lower_fully_connected},
    {LQ_OP_BATCH_MATMUL, lq_lower_batch_matmul},
    {LQ_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, lq_lower_lstm},
    {LQ_OP_UNIDIRECTIONAL_SEQUENCE_RNN, lq_lower_rnn},
    // windows and sizes
    {LQ_OP_AVERAGE_POOL_2D, lq_lower_average_pool},
    {LQ_OP_MAX_POOL_2D, lq_lower_max_pool},
    {LQ_OP_RESIZE_BILINEAR, lq_lower_resize_bilinear},
    {LQ_OP_RESIZE_NEAREST_NEIGHBOR, lq_lower_resize_nearest},
    {LQ_OP_LOCAL_RESPONSE_NORMALIZATION, lq_lower_lrn},
    // binary
    {LQ_OP_ADD, lq_lower_binary},
    {LQ_OP_SUB, lq_lower_binary},
    {LQ_OP_MUL, lq_lower_binary},
    {LQ_OP_DIV, lq_lower_binary},
    {LQ_OP_MAXIMUM, lq_lower_binary},
    {LQ_OP_MINIMUM, lq_lower_binary},
    {LQ_OP_POW, lq_lower_binary},
    {LQ_OP_SQUARED_DIFFERENCE, lq_lower_binary},
    {LQ_OP_FLOOR_DIV, lq_lower_binary},
    {LQ_OP_FLOOR_MOD, lq_lower_binary},
    {LQ_OP_LOGICAL_AND, lq_lower_binary},
    {LQ_OP_LOGICAL_OR, lq_lower_binary},
    {LQ_OP_LESS, lq_lower_compare},
    {LQ_OP_LESS_EQUAL, lq_lower_compare},
    {LQ_OP_GREATER, lq_lower_compare},
    {LQ_OP_GREATER_EQUAL, lq_lower_compare},
    {LQ_OP_EQUAL, lq_lower_compare},
    {LQ_OP_NOT_EQUAL, lq_lower_compare},
    {LQ_OP_SELECT, lq_lower_select},
    {LQ_OP_SELECT_V2, lq_lower_select},
    {LQ_OP_ADD_N, lq_lower_add_n},
    // unary
    {LQ_OP_RELU, lq_lower_unary},
    {LQ_OP_RELU6, lq_lower_unary},
    {LQ_OP_RELU_N1_TO_1, lq_lower_unary},
    {LQ_OP_RELU_0_TO_1, lq_lower_unary},
    {LQ_OP_LEAKY_RELU, lq_lower_unary},
    {LQ_OP_ELU, lq_lower_unary},
    {LQ_OP_GELU, lq_lower_unary},
    {LQ_OP_HARD_SWISH, lq_lower_unary},
    {LQ_OP_LOGISTIC, lq_lower_unary},
    {LQ_OP_TANH, lq_lower_unary},
    {LQ_OP_EXP, lq_lower_unary},
    {LQ_OP_LOG, lq_lower_unary},
    {LQ_OP_SQRT, lq_lower_unary},
    {LQ_OP_RSQRT, lq_lower_unary},
    {LQ_OP_SQUARE, lq_lower_unary},
    {LQ_OP_NEG, lq_lower_unary},
    {LQ_OP_ABS, lq_lower_unary},
    {LQ_OP_SIGN, lq_lower_unary},
    {LQ_OP_FLOOR, lq_lower_unary},
    {LQ_OP_CEIL, lq_lower_unary},
    {LQ_OP_ROUND, lq_lower_unary},
    {LQ_OP_SIN, lq_lower_unary},
    {LQ_OP_COS, lq_lower_unary},
    {LQ_OP_LOGICAL_NOT, lq_lower_unary},
    {LQ_OP_PRELU, lq_lower_prelu},
    {LQ_OP_SOFTMAX, lq_lower_softmax},
    {LQ_OP_LOG_SOFTMAX, lq_lower_softmax},
    {LQ_OP_L2_NORMALIZATION, lq_lower_l2_normalize},
    {LQ_OP_CAST, lq_lower_cast},
    {LQ_OP_QUANTIZE, lq_lower_quantize},
    {LQ_OP_DEQUANTIZE, lq_lower_dequantize},
    {LQ_OP_DENSIFY, lq_lower_densify},
    // reductions
    {LQ_OP_MEAN, lq_lower_reduce},
    {LQ_OP_SUM, lq_lower_reduce},
    {LQ_OP_REDUCE_MAX, lq_lower_reduce},
    {LQ_OP_REDUCE_MIN, lq_lower_reduce},
    {LQ_OP_REDUCE_PROD, lq_lower_reduce},
    {LQ_OP_REDUCE_ANY, lq_lower_reduce},
    {LQ_OP_REDUCE_ALL, lq_lower_reduce},
    {LQ_OP_ARG_MAX, lq_lower_arg},
    {LQ_OP_ARG_MIN, lq_lower_arg},
    {LQ_OP_TOPK_V2, lq_lower_top_k},
    {LQ_OP_CUMSUM, lq_lower_cumsum},
    // operators that move numbers
    {LQ_OP_CONCATENATION, lq_lower_concat},
    {LQ_OP_PACK, lq_lower_pack},
    {LQ_OP_UNPACK, lq_lower_unpack},
    {LQ_OP_SPLIT, lq_lower_split},
    {LQ_OP_SPLIT_V, lq_lower_split},
    {LQ_OP_GATHER, lq_lower_gather},
    {LQ_OP_GATHER_ND, lq_lower_gather_nd},
    {LQ_OP_EMBEDDING_LOOKUP, lq_lower_embedding_lookup},
    {LQ_OP_ONE_HOT, lq_lower_one_hot},
    {LQ_OP_SCATTER_ND, lq_lower_scatter_nd},
    {LQ_OP_WHERE, lq_lower_where},
    {LQ_OP_NON_MAX_SUPPRESSION_V4, lq_lower_non_max_suppression},
    {LQ_OP_NON_MAX_SUPPRESSION_V5, lq_lower_non_max_suppression},
    {LQ_OP_RESHAPE, lq_lower_reshape},
    {LQ_OP_SQUEEZE, lq_lower_squeeze},
    {LQ_OP_EXPAND_DIMS, lq_lower_expand_dims},
    {LQ_OP_TRANSPOSE, lq_lower_transpose},
    {LQ_OP_SLICE, lq_lower_slice},
    {LQ_OP_STRIDED_SLICE, lq_lower_strided_slice},
    {LQ_OP_REVERSE_V2, lq_lower_reverse},
    {LQ_OP_REVERSE_SEQUENCE, lq_lower_reverse_sequence},
    {LQ_OP_MATRIX_DIAG, lq_lower_matrix_diag},
    {LQ_OP_MATRIX_SET_DIAG, lq_lower_matrix_diag},
    {LQ_OP_PAD, lq_lower_pad},
    {LQ_OP_PADV2, lq_lower_pad},
    {LQ_OP_MIRROR_PAD, lq_lower_mirror_pad},
    {LQ_OP_DEPTH_TO_SPACE, lq_lower_depth_to_space},
    {LQ_OP_SPACE_TO_DEPTH, lq_lower_space_to_depth},
    {LQ_OP_SPACE_TO_BATCH_ND, lq_lower_space_to_batch},
    {LQ_OP_BATCH_TO_SPACE_ND, lq_lower_batch_to_space},
    {LQ_OP_TILE, lq_lower_tile},
    {LQ_OP_BROADCAST_TO, lq_lower_broadcast_to},
    {LQ_OP_FILL, lq_lower_fill},
    {LQ_OP_ZEROS_LIKE, lq_lower_zeros_like},
    {LQ_OP_SHAPE, lq_lower_shape_of},
    // operators that run other graphs of the file
    {LQ_OP_IF, lq_lower_if},
    {LQ_OP_WHILE, lq_lower_while},
    {LQ_OP_CUSTOM, lq_lower_custom},
};

// ---- the operators

static void lower_one(struct lq_lower *low)
{
    if (low->absorbed[low->index] || lq_fold(low))
        return;
    bool recurrent = low->op->builtin == LQ_OP_UNIDIRECTIONAL_SEQUENCE_LSTM ||
                     low->op->builtin == LQ_OP_UNIDIRECTIONAL_SEQUENCE_RNN;
    for (int i = 0; i < low->op->inputs.count && !recurrent; i++) {
        int tensor = lq_lower_input(low, i);
        if (tensor >= 0 && !lq_lower_need(low, !lq_lower_tensor(low, tensor)->variable,
                                          "networks with state are not supported"))
            return;
    }
    for (size_t i = 0; i < LQ_COUNT(table); i++)
        if (table[i].builtin == low->op->builtin) {
            table[i].lower(low);
            return;
        }
    lq_graph_fail(low->graph, LQ_ERR_FORMAT, "this operator is not supported");
}

static void lower_operators(struct lq_lower *low)
{
    for (int i = 0; i < low->model->op_count && low->graph->status == LQ_OK; i++) {
        low->index = i;
        low->op = &low->model->ops[i];
        lower_one(low);
        if (low->graph->status == LQ_OK)
            continue;
        int output = lq_lower_output(low, 0);
        if (low->depth > 0) {
            lq_fail_within(low->graph->err, "in it operator %d, %.40s", i,
                           lq_tflite_op_name(low->op));
            continue;
        }
        lq_fail_within(low->graph->err, "operator %d, %.40s, which makes '%.60s'", i,
                       lq_tflite_op_name(low->op),
                       output >= 0 ? lq_lower_tensor(low, output)->name : "");
    }
}

// ---- after them

static bool is_output_already(const struct lq_graph *graph, const struct lq_value *value)
{
    for (int i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] == value)
            return true;
    return false;
}

static struct lq_value *output_value(struct lq_lower *low, int tensor)
{
    struct lq_tensor_state *slot = &low->slots[tensor];
    struct lq_tensor_form *form = slot->forms;
    // If pictures are NCHW, an output that is already in that order stays so.
    if (low->options->channels_first && form && form->kind == LQ_STORED && slot->shape.rank == 4 &&
        lq_layout_equal(form->order, lq_layout_channels_first(4)))
        return form->value;
    return low->options->real_edges ? lq_get_plain(low, tensor) : lq_get_stored(low, tensor);
}

static const char *output_name(struct lq_lower *low, const char *name)
{
    char text[600];
    int len = snprintf(text, sizeof text, "%.500s#out%d", name, low->graph->output_count);
    const char *made = lq_arena_text(&low->graph->arena, text, (size_t)len);
    if (!made)
        lq_graph_fail(low->graph, LQ_ERR_MEMORY, "out of memory for names");
    return made;
}

static void add_output(struct lq_lower *low, int tensor)
{
    struct lq_graph *graph = low->graph;
    struct lq_tensor_state *slot = &low->slots[tensor];
    if (!slot->made) {
        lq_graph_fail(graph, LQ_ERR_MODEL, "output '%.80s' is made by no operator",
                      lq_lower_tensor(low, tensor)->name);
        return;
    }
    struct lq_value *value = output_value(low, tensor);
    bool input = !value->maker && !value->data, free_name = !input || value->name != slot->name;
    // The value that is the output gets the name; a form in another order loses it.
    if (value->data || input || is_output_already(graph, value))
        value = lq_graph_add(graph, "Identity", LQ_INPUTS(value), LQ_NO_ATTRS);
    if (graph->status != LQ_OK)
        return;
    for (struct lq_tensor_form *form = slot->forms; form; form = form->next)
        if (form->value->name == slot->name && (form->value->maker || form->value->data) &&
            !is_output_already(graph, form->value))
            form->value->name = NULL;
    for (int i = 0; i < graph->output_count; i++)
        free_name &= graph->outputs[i]->name != slot->name;
    // In ONNX one name cannot be an input and an output, or two outputs.
    if (free_name)
        value->name = slot->name;
    else
        value->name = output_name(low, slot->name);
    graph->outputs[graph->output_count++] = value;
}

int lq_lower(struct lq_lower *low)
{
    low->lower_operators = lower_operators;
    lq_lower_begin_model(low);
    lower_operators(low);
    for (int i = 0; i < low->model->outputs.count && low->graph->status == LQ_OK; i++)
        add_output(low, lq_flat_int(low->model->outputs, i));
    if (low->graph->status == LQ_OK && low->graph->output_count == 0)
        lq_graph_fail(low->graph, LQ_ERR_MODEL, "the network has no outputs");
    return low->graph->status;
}
