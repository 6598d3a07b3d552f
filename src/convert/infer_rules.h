// The rules of lq_infer (graph.h), one per operator that we write, as the ONNX operator pages
// (opset 17) state them. A rule sets the shapes of the node's outputs, and their type if it differs
// from that of input 0. It reports inputs that are impossible.
// Threads and owner: as in graph.h.
#pragma once

#include "convert/graph.h"

// infer_elementwise.c
int lq_rule_same(struct lq_graph *graph, struct lq_node *node);
int lq_rule_broadcast(struct lq_graph *graph, struct lq_node *node);
int lq_rule_compare(struct lq_graph *graph, struct lq_node *node);
int lq_rule_where(struct lq_graph *graph, struct lq_node *node);
int lq_rule_prelu(struct lq_graph *graph, struct lq_node *node);
int lq_rule_cast(struct lq_graph *graph, struct lq_node *node);
int lq_rule_quantize(struct lq_graph *graph, struct lq_node *node);
int lq_rule_dequantize(struct lq_graph *graph, struct lq_node *node);

// infer_window.c
int lq_rule_conv(struct lq_graph *graph, struct lq_node *node);
int lq_rule_conv_transpose(struct lq_graph *graph, struct lq_node *node);
int lq_rule_pool(struct lq_graph *graph, struct lq_node *node);
int lq_rule_resize(struct lq_graph *graph, struct lq_node *node);

// infer_product.c
int lq_rule_matmul(struct lq_graph *graph, struct lq_node *node);
int lq_rule_gemm(struct lq_graph *graph, struct lq_node *node);
int lq_rule_recurrent(struct lq_graph *graph, struct lq_node *node);

// infer_move.c
int lq_rule_transpose(struct lq_graph *graph, struct lq_node *node);
int lq_rule_reshape(struct lq_graph *graph, struct lq_node *node);
int lq_rule_squeeze(struct lq_graph *graph, struct lq_node *node);
int lq_rule_unsqueeze(struct lq_graph *graph, struct lq_node *node);
int lq_rule_concat(struct lq_graph *graph, struct lq_node *node);
int lq_rule_split(struct lq_graph *graph, struct lq_node *node);
int lq_rule_slice(struct lq_graph *graph, struct lq_node *node);
int lq_rule_gather(struct lq_graph *graph, struct lq_node *node);
int lq_rule_gather_nd(struct lq_graph *graph, struct lq_node *node);
int lq_rule_pad(struct lq_graph *graph, struct lq_node *node);
int lq_rule_depth_to_space(struct lq_graph *graph, struct lq_node *node);
int lq_rule_space_to_depth(struct lq_graph *graph, struct lq_node *node);
int lq_rule_expand(struct lq_graph *graph, struct lq_node *node);
int lq_rule_tile(struct lq_graph *graph, struct lq_node *node);
int lq_rule_shape(struct lq_graph *graph, struct lq_node *node);

// infer_reduce.c
int lq_rule_reduce(struct lq_graph *graph, struct lq_node *node);
int lq_rule_reduce_sum(struct lq_graph *graph, struct lq_node *node);
int lq_rule_arg(struct lq_graph *graph, struct lq_node *node);
int lq_rule_top_k(struct lq_graph *graph, struct lq_node *node);
int lq_rule_non_zero(struct lq_graph *graph, struct lq_node *node);
int lq_rule_non_max_suppression(struct lq_graph *graph, struct lq_node *node);

// Fails the graph; the message lists the shapes of the node's inputs. Returns its status.
int lq_infer_impossible(struct lq_graph *graph, const struct lq_node *node);

// Reads the integers of a constant input. Returns their number, or -1 if it is not a constant.
int lq_infer_ints(const struct lq_node *node, int i, int64_t values[LQ_RANK_MAX * 2]);

// Converts an axis counted from the end to one counted from the start; false if out of range.
bool lq_infer_axis(int64_t *axis, int rank);

// The shape that both are broadcast to, or false.
bool lq_infer_broadcast(const struct lq_shape *a, const struct lq_shape *b, struct lq_shape *to);

// The shape of an input, and of output 0; and whether an optional input is present.
static inline const struct lq_shape *in(const struct lq_node *node, int i)
{
    return &node->inputs[i]->shape;
}

static inline struct lq_shape *out(const struct lq_node *node)
{
    return &node->outputs[0]->shape;
}

static inline bool given(const struct lq_node *node, int i)
{
    return i < node->input_count && node->inputs[i]->type != LQ_ONNX_NONE;
}
