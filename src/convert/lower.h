// Translates TFLite operators to ONNX nodes: one function per operator, in the lower_*.c files; the
// table is in lower.c. TFLite stores pictures as NHWC; ONNX convolutions need NCHW. So every tensor
// is held in one or more *forms*: an ONNX value whose axes stand in some order. A convolution
// requests channels first and produces its result in that order; operators to which order does not
// matter use the order at hand. A TRANSPOSE only renames axes. A Transpose node is written only
// when an operator needs an order that is not available yet (layout.c), which does not happen
// between convolutions.
// Threads: one owner at a time. Owner: everything lives in the graph's arena.
// Errors: as in graph.h, sticky; lower.c names the operator.
#pragma once

#include "convert/convert.h"
#include "convert/graph.h"
#include "format/tflite.h"

// axis[i]: the tensor's (TFLite) axis that stands at position i of the stored value.
struct lq_axes {
    int rank;
    uint8_t axis[LQ_RANK_MAX];
};

static inline struct lq_axes lq_layout_plain(int rank)
{
    struct lq_axes order = {.rank = rank};
    for (int i = 0; i < rank && i < LQ_RANK_MAX; i++)
        order.axis[i] = (uint8_t)i;
    return order;
}

// N, C, then the rest, as convolutions need it.
static inline struct lq_axes lq_layout_channels_first(int rank)
{
    struct lq_axes order = {.rank = rank};
    for (int i = 0; i < rank && i < LQ_RANK_MAX; i++)
        order.axis[i] = (uint8_t)(i == 0 ? 0 : i == 1 ? rank - 1 : i - 1);
    return order;
}

bool lq_layout_equal(struct lq_axes a, struct lq_axes b);
bool lq_layout_is_plain(struct lq_axes order);
int lq_layout_place(struct lq_axes order, int axis); // position of an axis of the tensor
// Reorders a list with one number per axis from TFLite's order to the stored order.
void lq_layout_ints(struct lq_axes order, const int64_t *plain, int64_t *stored);
// The order without the axes in `gone`; the others are renumbered.
struct lq_axes lq_layout_without(struct lq_axes order, unsigned gone);

enum lq_tensor_form_kind {
    LQ_REAL,   // real values: float32 for quantised and float16 tensors
    LQ_STORED, // values in the file's type: int8, float16, …
};

struct lq_tensor_form {
    struct lq_value *value;
    struct lq_axes order;
    enum lq_tensor_form_kind kind;
    bool folded; // a quantised constant whose real values were computed during conversion
    struct lq_tensor_form *next;
};

enum { LQ_CONSTANT_INTS_MAX = 64 };

// Small integer tensors (shapes, axes) whose values are known at conversion time.
struct lq_constant_ints {
    int count;
    bool some[LQ_CONSTANT_INTS_MAX];
    int64_t at[LQ_CONSTANT_INTS_MAX]; // 0, or LQ_DIM_BATCH or LQ_DIM_OPEN for an unknown size
};

struct lq_tensor_state {   // one per tensor of the model
    struct lq_shape shape; // in TFLite's order; the inferred shape, not the file's
    bool made;
    struct lq_tensor_form *forms; // oldest first
    const void *data;      // a constant's contents, row-major, in the file's type
    int dequantised_of;    // the constant whose real values these are; -1: none
    struct lq_constant_ints *known;
    int maker;             // operator that computes it; -1: none
    int users;             // number of uses by operators and outputs
    int user;              // the last operator that uses it; -1: none
    const char *name;      // unique; given to the first value that holds the tensor
    bool name_taken;
};

enum { LQ_SUBGRAPHS_MAX = 256 };

// Shared by all graphs of a file, including those that IF and WHILE run (lower_control.c).
struct lq_subgraphs {
    const struct lq_tflite *graphs[LQ_SUBGRAPHS_MAX]; // NULL: not read yet
    int operators;                                    // number lowered so far
    int64_t sparse_steps_left; // steps that may still be spent on expanding sparse constants
};

struct lq_lower {
    const struct lq_tflite *model; // the file's graph that is being lowered
    struct lq_graph *graph;
    const struct lq_convert_options *options;
    struct lq_tensor_state *slots;
    bool *absorbed; // operators merged into another one
    int index;      // index of the operator being lowered
    const struct lq_tflite_op *op;
    struct lq_subgraphs *subgraphs;
    int depth; // 0: the file's main graph
    // lowers all operators of low->model; used for sub-graphs
    void (*lower_operators)(struct lq_lower *low);
};

// Lowers the whole model. The caller sets graph, options and model; the rest is set here.
LQ_MUST_CHECK int lq_lower(struct lq_lower *low);

// Set up the lowering of the model, and of a sub-graph, whose slots get their constants (false sets
// the error). Called before the operators (lower_begin.c).
void lq_lower_begin_model(struct lq_lower *low);
bool lq_lower_begin(struct lq_lower *low);

// Makes the tensors requested by options->exposed outputs of the graph (expose.c). Call it after
// lq_graph_prune.
void lq_lower_expose(struct lq_lower *low);

// ---- the operator being lowered (lower_state.c)

// Sets the graph's error unless `fine`; returns `fine`. `what` is printed after "operator N, NAME:
// ".
bool lq_lower_need(struct lq_lower *low, bool fine, const char *what);

int lq_lower_input(const struct lq_lower *low, int i);  // tensor number, -1 when omitted
int lq_lower_output(const struct lq_lower *low, int i); // -1 when there is none
int32_t lq_lower_option(const struct lq_lower *low, unsigned field, int32_t otherwise);
int lq_lower_byte(const struct lq_lower *low, unsigned field, int otherwise);

const struct lq_tflite_tensor *lq_lower_tensor(const struct lq_lower *low, int tensor);
struct lq_shape lq_lower_shape(const struct lq_lower *low, int tensor);
int lq_lower_rank(const struct lq_lower *low, int tensor);
// True for int8, uint8 and int16 tensors with a scale: their numbers are quantised values.
bool lq_lower_quantised(const struct lq_lower *low, int tensor);
enum lq_onnx_type lq_lower_stored_type(const struct lq_lower *low, int tensor);
enum lq_onnx_type lq_lower_real_type(const struct lq_lower *low, int tensor);

// ---- forms (layout.c)

// The tensor in this order.
struct lq_value *lq_get(struct lq_lower *low, int tensor, struct lq_axes order);
struct lq_value *lq_get_plain(struct lq_lower *low, int tensor);
// The tensor in any available order, which is stored in *order.
struct lq_value *lq_get_any(struct lq_lower *low, int tensor, struct lq_axes *order);
// The stored (quantised) numbers, not the real values, in TFLite's order.
struct lq_value *lq_get_stored(struct lq_lower *low, int tensor);
// A constant's real values, computed now; for other tensors, as lq_get.
struct lq_value *lq_get_folded(struct lq_lower *low, int tensor, struct lq_axes order);
// The cheapest order for an operator to which order does not matter, over the tensors of equal
// rank.
struct lq_axes lq_layout_common(struct lq_lower *low, const int *tensors, int count);
// Transposes `value` from one order to another.
struct lq_value *lq_transpose(struct lq_lower *low, struct lq_value *value, struct lq_axes from,
                              struct lq_axes to);

// Reshapes `value` (-1 as in ONNX); a constant is reshaped immediately.
struct lq_value *lq_reshaped(struct lq_lower *low, struct lq_value *value, const int64_t *dims,
                             int rank);

// Sets the tensor's value (real values); for a quantised tensor, adds its QuantizeLinear.
void lq_set(struct lq_lower *low, int tensor, struct lq_value *value, struct lq_axes order);
void lq_set_plain(struct lq_lower *low, int tensor, struct lq_value *value);
void lq_set_stored(struct lq_lower *low, int tensor, struct lq_value *value,
                   struct lq_axes order);
// Makes the tensor an alias of another one with renamed axes: axis i is axis map[i] of `from`.
void lq_set_renamed(struct lq_lower *low, int tensor, int from, const int *map);
// Passes a tensor of one graph to another graph unchanged: an argument or a result.
void lq_hand_over(struct lq_lower *from, int tensor, struct lq_lower *to, int target);
// Makes the tensor a constant: data in the arena or the file, row-major, in the tensor's own type.
void lq_set_constant(struct lq_lower *low, int tensor, const void *data,
                     const struct lq_shape *shape);
// Makes the tensor the real values of another constant, computed when needed.
void lq_set_dequantised(struct lq_lower *low, int tensor, int constant);

// ---- constants (constant.c)

bool lq_is_constant(const struct lq_lower *low, int tensor);
// The values of a known integer tensor. Returns their number, or -1 if not all are known or there
// are more than `max`.
int lq_ints_of(struct lq_lower *low, int tensor, int64_t *out, int max);
const struct lq_constant_ints *lq_constant_ints_of(struct lq_lower *low, int tensor);
// Functions that return memory set the error when they return NULL.
// A constant's real values as float32, in the given order.
float *lq_real_constant(struct lq_lower *low, int tensor, struct lq_axes order);
// A constant's bytes in the given order.
const void *lq_stored_constant(struct lq_lower *low, int tensor, struct lq_axes order);
// Whether all numbers are equal; *value is then that number.
bool lq_constant_number(struct lq_lower *low, int tensor, double *value);

// ---- constant folding (fold.c)

// True if the operator's outputs were computed now, so no node is needed.
bool lq_fold(struct lq_lower *low);

// ---- the only user of a tensor, if it is one operator and not an output; else -1
int lq_sole_user(const struct lq_lower *low, int tensor);

// ---- helpers for lowering

// Inserts an axis of size one (numbered as in the result), or removes such axes; *order is updated.
struct lq_value *lq_insert_axis(struct lq_lower *low, struct lq_value *value, int axis,
                                struct lq_axes *order);
struct lq_value *lq_remove_axes(struct lq_lower *low, struct lq_value *value, unsigned gone,
                                struct lq_axes *order);

// A TFLite fused activation (NONE 0, RELU 1, RELU_N1_TO_1 2, RELU6 3, TANH 4, SIGN_BIT 5).
struct lq_value *lq_activate(struct lq_lower *low, struct lq_value *value, int activation);
struct lq_value *lq_clip(struct lq_lower *low, struct lq_value *value, float least, float most);
// The bias of a product of quantised numbers, whose scale is that of x times that of weights.
struct lq_value *lq_bias_value(struct lq_lower *low, int bias, int x, int weights);
// Whether the output's quantisation already clips as the activation would.
bool lq_clip_is_free(const struct lq_lower *low, int tensor, int activation);

// One of lower_*.c: lowers low->op.
typedef void lq_lower_fn(struct lq_lower *low);

extern lq_lower_fn lq_lower_conv, lq_lower_depthwise, lq_lower_transpose_conv,
    lq_lower_fully_connected, lq_lower_batch_matmul, lq_lower_average_pool, lq_lower_max_pool,
    lq_lower_resize_bilinear, lq_lower_resize_nearest, lq_lower_binary, lq_lower_unary,
    lq_lower_compare, lq_lower_softmax, lq_lower_prelu, lq_lower_select, lq_lower_cast,
    lq_lower_quantize, lq_lower_dequantize, lq_lower_concat, lq_lower_pack, lq_lower_unpack,
    lq_lower_split, lq_lower_gather, lq_lower_gather_nd, lq_lower_reshape, lq_lower_squeeze,
    lq_lower_expand_dims, lq_lower_transpose, lq_lower_slice, lq_lower_strided_slice, lq_lower_pad,
    lq_lower_mirror_pad, lq_lower_reduce, lq_lower_arg, lq_lower_shape_of, lq_lower_depth_to_space,
    lq_lower_space_to_depth, lq_lower_space_to_batch, lq_lower_batch_to_space, lq_lower_tile,
    lq_lower_broadcast_to, lq_lower_fill, lq_lower_reverse, lq_lower_l2_normalize, lq_lower_lrn,
    lq_lower_top_k, lq_lower_cumsum, lq_lower_add_n, lq_lower_custom, lq_lower_zeros_like,
    lq_lower_densify, lq_lower_transpose_conv_bias, lq_lower_embedding_lookup, lq_lower_one_hot,
    lq_lower_scatter_nd, lq_lower_where, lq_lower_non_max_suppression, lq_lower_conv_3d,
    lq_lower_conv_3d_transpose, lq_lower_lstm, lq_lower_rnn, lq_lower_detection,
    lq_lower_matrix_diag, lq_lower_reverse_sequence, lq_lower_if, lq_lower_while;
