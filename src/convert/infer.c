// Infers a node's outputs: the table of rules.
#include <string.h>

#include "convert/infer_rules.h"

static const struct {
    const char *op;
    int (*rule)(struct lq_graph *graph, struct lq_node *node);
} rules[] = {
    {"Abs", lq_rule_same}, {"Add", lq_rule_broadcast}, {"And", lq_rule_broadcast},
    {"ArgMax", lq_rule_arg}, {"ArgMin", lq_rule_arg}, {"AveragePool", lq_rule_pool},
    {"Cast", lq_rule_cast}, {"Ceil", lq_rule_same}, {"Clip", lq_rule_same},
    {"Concat", lq_rule_concat}, {"Conv", lq_rule_conv}, {"ConvTranspose", lq_rule_conv_transpose},
    {"Cos", lq_rule_same}, {"CumSum", lq_rule_same}, {"DepthToSpace", lq_rule_depth_to_space},
    {"DequantizeLinear", lq_rule_dequantize}, {"Div", lq_rule_broadcast}, {"Elu", lq_rule_same},
    {"Equal", lq_rule_compare}, {"Erf", lq_rule_same}, {"Exp", lq_rule_same},
    {"Expand", lq_rule_expand}, {"Floor", lq_rule_same}, {"Gather", lq_rule_gather},
    {"GatherND", lq_rule_gather_nd}, {"Gemm", lq_rule_gemm}, {"Greater", lq_rule_compare},
    {"GreaterOrEqual", lq_rule_compare}, {"HardSwish", lq_rule_same}, {"Identity", lq_rule_same},
    {"LRN", lq_rule_same}, {"LSTM", lq_rule_recurrent}, {"LeakyRelu", lq_rule_same},
    {"Less", lq_rule_compare}, {"LessOrEqual", lq_rule_compare}, {"Log", lq_rule_same},
    {"LogSoftmax", lq_rule_same}, {"MatMul", lq_rule_matmul}, {"Max", lq_rule_broadcast},
    {"MaxPool", lq_rule_pool}, {"Min", lq_rule_broadcast}, {"Mod", lq_rule_broadcast},
    {"Mul", lq_rule_broadcast}, {"Neg", lq_rule_same},
    {"NonMaxSuppression", lq_rule_non_max_suppression}, {"NonZero", lq_rule_non_zero},
    {"Not", lq_rule_same}, {"Or", lq_rule_broadcast}, {"PRelu", lq_rule_prelu},
    {"Pad", lq_rule_pad}, {"Pow", lq_rule_broadcast}, {"QuantizeLinear", lq_rule_quantize},
    {"RNN", lq_rule_recurrent}, {"Reciprocal", lq_rule_same}, {"ReduceL2", lq_rule_reduce},
    {"ReduceMax", lq_rule_reduce}, {"ReduceMean", lq_rule_reduce}, {"ReduceMin", lq_rule_reduce},
    {"ReduceProd", lq_rule_reduce}, {"ReduceSum", lq_rule_reduce_sum}, {"Relu", lq_rule_same},
    {"Reshape", lq_rule_reshape}, {"Resize", lq_rule_resize}, {"ReverseSequence", lq_rule_same},
    {"Round", lq_rule_same}, {"ScatterND", lq_rule_same}, {"Shape", lq_rule_shape},
    {"Sigmoid", lq_rule_same}, {"Sign", lq_rule_same}, {"Sin", lq_rule_same},
    {"Slice", lq_rule_slice}, {"Softmax", lq_rule_same}, {"SpaceToDepth", lq_rule_space_to_depth},
    {"Split", lq_rule_split}, {"Sqrt", lq_rule_same}, {"Squeeze", lq_rule_squeeze},
    {"Sub", lq_rule_broadcast}, {"Tanh", lq_rule_same}, {"Tile", lq_rule_tile},
    {"TopK", lq_rule_top_k}, {"Transpose", lq_rule_transpose}, {"Unsqueeze", lq_rule_unsqueeze},
    {"Where", lq_rule_where},
};

// Whether a size is one that no real network has. Rejecting these keeps the rules' arithmetic from
// overflowing.
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
            status = lq_infer_impossible(graph, node);
    return status;
}
