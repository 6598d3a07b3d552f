// From TFLite's operators to ONNX nodes: one function an operator, in the lower_*.c files; the
// table is in lower.c. TFLite keeps pictures as NHWC, ONNX's convolutions want NCHW. So every
// tensor is held in one or more *forms*: an ONNX value whose axes stand in some order. A
// convolution asks for the channels first and gives a result in that order; whatever does not care
// takes the order that is there. A TRANSPOSE only renames axes. A Transpose node is written when an
// operator insists on an order that nobody has yet (layout.c), which on a convolution's path does
// not happen.
// Threads: one owner at a time. Owner: everything lives in the graph's arena.
// Errors: those of graph.h: they stick, and lower.c names the operator.
#pragma once

#include "convert/convert.h"
#include "convert/graph.h"
#include "format/tflite.h"

// axis[i]: which of the tensor's own (TFLite) axes stands at place i of the stored value.
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

// N, C, then the rest: what a convolution wants.
static inline struct lq_axes lq_layout_channels_first(int rank)
{
    struct lq_axes order = {.rank = rank};
    for (int i = 0; i < rank && i < LQ_RANK_MAX; i++)
        order.axis[i] = (uint8_t)(i == 0 ? 0 : i == 1 ? rank - 1 : i - 1);
    return order;
}

bool lq_layout_equal(struct lq_axes a, struct lq_axes b);
bool lq_layout_is_plain(struct lq_axes order);
int lq_layout_place(struct lq_axes order, int axis); // where an axis of the tensor stands
// A list of one number an axis, as TFLite has it, put into the stored order.
void lq_layout_ints(struct lq_axes order, const int64_t *plain, int64_t *stored);
// Without the axes in `gone`, the others renumbered.
struct lq_axes lq_layout_without(struct lq_axes order, unsigned gone);

enum lq_tensor_form_kind {
    LQ_REAL,   // what the numbers mean: float32 for quantised and float16 tensors
    LQ_STORED, // as the file's type has it: int8, float16, …
};

struct lq_tensor_form {
    struct lq_value *value;
    struct lq_axes order;
    enum lq_tensor_form_kind kind;
    bool folded; // a quantised constant whose real numbers were worked out here
    struct lq_tensor_form *next;
};

enum { LQ_CONSTANT_INTS_MAX = 64 };

// Small integer tensors (shapes, axes) whose numbers are known before the network runs.
struct lq_constant_ints {
    int count;
    bool some[LQ_CONSTANT_INTS_MAX];
    int64_t at[LQ_CONSTANT_INTS_MAX]; // 0, or LQ_DIM_BATCH or LQ_DIM_OPEN for an unknown size
};

struct lq_tensor_state {   // one for each tensor of the model
    struct lq_shape shape; // in TFLite's order; of what was made, not what the file says
    bool made;
    struct lq_tensor_form *forms; // first made first
    const void *data;      // a constant's contents, row-major, in the file's type
    int dequantised_of;    // or the real numbers of this other constant; -1: no
    struct lq_constant_ints *known;
    int maker;             // operator that makes it; -1: none
    int users;             // uses by operators and outputs
    int user;              // the last operator among them; -1: none
    const char *name;      // unique; given to the first value that holds it
    bool name_taken;
};

enum { LQ_SUBGRAPHS_MAX = 256 };

// What all graphs of a file share, those that IF and WHILE run too (lower_control.c).
struct lq_subgraphs {
    const struct lq_tflite *graphs[LQ_SUBGRAPHS_MAX]; // NULL: not read yet
    int operators;                                    // lowered so far
    int64_t sparse_steps_left; // that spreading sparse constants may still take
};

struct lq_lower {
    const struct lq_tflite *model; // the graph of the file that is being lowered
    struct lq_graph *graph;
    const struct lq_convert_options *options;
    struct lq_tensor_state *slots;
    bool *absorbed; // operators that another one has taken in
    int index;      // of the operator being lowered
    const struct lq_tflite_op *op;
    struct lq_subgraphs *subgraphs;
    int depth; // 0: the file's main graph
    void (*lower_operators)(struct lq_lower *low); // all of low->model's, for what runs sub-graphs
};

// Lowers the whole model: graph, options and model are set, the rest is made here.
LQ_MUST_CHECK int lq_lower(struct lq_lower *low);

// Before the operators (lower_begin.c): of the model, and of a sub-graph, whose slots get their
// constants (false sets the error).
void lq_lower_begin_model(struct lq_lower *low);
bool lq_lower_begin(struct lq_lower *low);

// Makes outputs of what the trace asks for (trace.c). After lq_graph_prune.
void lq_lower_trace(struct lq_lower *low);

// ---- the operator being lowered (lower_state.c)

// Sets the graph's error unless `fine`; gives `fine`. `what` follows "operator N, NAME: ".
bool lq_lower_need(struct lq_lower *low, bool fine, const char *what);

int lq_lower_input(const struct lq_lower *low, int i);  // tensor number, -1 when left out
int lq_lower_output(const struct lq_lower *low, int i); // -1 when there is none
int32_t lq_lower_option(const struct lq_lower *low, unsigned field, int32_t otherwise);
int lq_lower_byte(const struct lq_lower *low, unsigned field, int otherwise);

const struct lq_tflite_tensor *lq_lower_tensor(const struct lq_lower *low, int tensor);
struct lq_shape lq_lower_shape(const struct lq_lower *low, int tensor);
int lq_lower_rank(const struct lq_lower *low, int tensor);
// True for int8, uint8 and int16 tensors with a scale: their numbers stand for others.
bool lq_lower_quantised(const struct lq_lower *low, int tensor);
enum lq_onnx_type lq_lower_stored_type(const struct lq_lower *low, int tensor);
enum lq_onnx_type lq_lower_real_type(const struct lq_lower *low, int tensor);

// ---- forms (layout.c)

// The tensor in this order.
struct lq_value *lq_get(struct lq_lower *low, int tensor, struct lq_axes order);
struct lq_value *lq_get_plain(struct lq_lower *low, int tensor);
// As it stands; *order says how.
struct lq_value *lq_get_any(struct lq_lower *low, int tensor, struct lq_axes *order);
// Not its meaning but its numbers, in TFLite's order.
struct lq_value *lq_get_stored(struct lq_lower *low, int tensor);
// A constant's real numbers, worked out now; a tensor that is no constant as lq_get.
struct lq_value *lq_get_folded(struct lq_lower *low, int tensor, struct lq_axes order);
// The order that costs least for operators that do not care, over the tensors of equal rank.
struct lq_axes lq_layout_common(struct lq_lower *low, const int *tensors, int count);
// `value` with its axes turned from one order into another.
struct lq_value *lq_transpose(struct lq_lower *low, struct lq_value *value, struct lq_axes from,
                              struct lq_axes to);

// `value` in another shape (-1 as ONNX has it); a constant at once.
struct lq_value *lq_reshaped(struct lq_lower *low, struct lq_value *value, const int64_t *dims,
                             int rank);

// The tensor now is `value` (its meaning); a quantised tensor gets its QuantizeLinear here.
void lq_set(struct lq_lower *low, int tensor, struct lq_value *value, struct lq_axes order);
void lq_set_plain(struct lq_lower *low, int tensor, struct lq_value *value);
void lq_set_stored(struct lq_lower *low, int tensor, struct lq_value *value,
                   struct lq_axes order);
// The tensor is another one with its axes renamed: axis i is axis map[i] of `from`.
void lq_set_renamed(struct lq_lower *low, int tensor, int from, const int *map);
// A tensor of one graph becomes, as it is, a tensor of another: an argument or a result.
void lq_hand_over(struct lq_lower *from, int tensor, struct lq_lower *to, int target);
// The tensor is a constant: data in the arena or the file, row-major, in the tensor's own type.
void lq_set_constant(struct lq_lower *low, int tensor, const void *data,
                     const struct lq_shape *shape);
// The tensor is what another constant means, worked out when and as it is asked for.
void lq_set_dequantised(struct lq_lower *low, int tensor, int constant);

// ---- constants (constant.c)

bool lq_is_constant(const struct lq_lower *low, int tensor);
// The numbers of a known integer tensor; count, or -1 when not all are known or there are too many.
int lq_ints_of(struct lq_lower *low, int tensor, int64_t *out, int max);
const struct lq_constant_ints *lq_constant_ints_of(struct lq_lower *low, int tensor);
// All functions that give memory set the error when they give NULL.
// A constant's real numbers as float32 in an order.
float *lq_real_constant(struct lq_lower *low, int tensor, struct lq_axes order);
// A constant's own bytes in an order.
const void *lq_stored_constant(struct lq_lower *low, int tensor, struct lq_axes order);
// The same number everywhere? Then *value is it.
bool lq_constant_number(struct lq_lower *low, int tensor, double *value);

// ---- working things out beforehand (fold.c)

// True when the operator's outputs could be worked out now and nothing has to be written.
bool lq_fold(struct lq_lower *low);

// ---- the one who uses a tensor, if it is one operator and no output; -1 otherwise
int lq_sole_user(const struct lq_lower *low, int tensor);

// ---- shared pieces of lowering

// Adds an axis of one (numbered as in the result), or takes such axes away; *order follows.
struct lq_value *lq_insert_axis(struct lq_lower *low, struct lq_value *value, int axis,
                                struct lq_axes *order);
struct lq_value *lq_remove_axes(struct lq_lower *low, struct lq_value *value, unsigned gone,
                                struct lq_axes *order);

// A TFLite fused activation (NONE 0, RELU 1, RELU_N1_TO_1 2, RELU6 3, TANH 4, SIGN_BIT 5).
struct lq_value *lq_activate(struct lq_lower *low, struct lq_value *value, int activation);
struct lq_value *lq_clip(struct lq_lower *low, struct lq_value *value, float least, float most);
// The bias of a product of quantised numbers: it counts in steps of x times weights.
struct lq_value *lq_bias_value(struct lq_lower *low, int bias, int x, int weights);
// Left out by rounding already: a clip that the output's quantisation does anyway.
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
