// An ONNX graph under construction: values (tensors), and the nodes that compute them from each
// other, in execution order. The shapes and types of a node's outputs are inferred when it is added
// (infer.c), so an error in the graph is found where it is made.
// Threads: one owner at a time. Owner: init/release by the caller; everything in a graph lives in
// its arena. Constants may point to other memory, which must outlive the graph.
// Errors are sticky: after the first one, every call does nothing and returns `&graph->nothing`, so
// callers check graph->status once, at the end of an operator.
// Source: onnx.proto and the operators of opset 17.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/arena.h"
#include "format/tflite.h" // LQ_RANK_MAX

enum { LQ_ONNX_OPSET = 17, LQ_ONNX_IR = 8 };

// TensorProto.DataType.
enum lq_onnx_type {
    LQ_ONNX_NONE = 0, LQ_ONNX_F32 = 1, LQ_ONNX_U8 = 2, LQ_ONNX_I8 = 3, LQ_ONNX_I16 = 5,
    LQ_ONNX_I32 = 6, LQ_ONNX_I64 = 7, LQ_ONNX_BOOL = 9, LQ_ONNX_F16 = 10, LQ_ONNX_F64 = 11,
};

// A size that is unknown until the network runs.
enum { LQ_DIM_BATCH = -1, LQ_DIM_OPEN = -2 };

struct lq_shape {
    int rank;
    int64_t dims[LQ_RANK_MAX]; // >= 0, LQ_DIM_BATCH or LQ_DIM_OPEN
};

struct lq_node;

struct lq_value {
    const char *name; // NULL until one is needed
    enum lq_onnx_type type;
    struct lq_shape shape;
    const void *data; // a constant's contents, row-major; NULL if a node computes it
    size_t bytes;
    struct lq_node *maker;
    bool used;  // by a node or as an output; set by lq_graph_prune
    bool exact; // a scale or a size, which must stay float32
    struct lq_value *next; // in the graph's list of constants
};

enum lq_attr_kind { LQ_ATTR_END, LQ_ATTR_INT, LQ_ATTR_FLOAT, LQ_ATTR_INTS, LQ_ATTR_TEXT };

struct lq_attr {
    enum lq_attr_kind kind;
    const char *name;
    int64_t i;
    float f;
    const char *text;
    const int64_t *ints; // copied when the node is added
    int count;
};

struct lq_node {
    const char *op;
    int input_count, output_count;
    struct lq_value **inputs; // &graph->nothing for an omitted input
    struct lq_value **outputs;
    struct lq_attr *attrs; // ends with LQ_ATTR_END
    struct lq_node *next;
    bool used;
    bool behind, before; // a convolution; set while Transposes are counted (convert.c)
};

struct lq_graph {
    struct lq_arena arena;
    int status;
    struct lq_error *err;
    struct lq_value nothing;
    struct lq_node *first, *last;
    struct lq_value *constants;
    int input_count, output_count;
    struct lq_value **inputs, **outputs;
    int name_count; // for names that we make up
};

void lq_graph_init(struct lq_graph *graph, size_t bytes_max, struct lq_error *err);
void lq_graph_release(struct lq_graph *graph);

// Sets the status unless there is an error already; returns &graph->nothing.
struct lq_value *lq_graph_fail(struct lq_graph *graph, int status, const char *format, ...)
    LQ_PRINTF(3, 4);

// Memory from the graph's arena; on NULL the graph's error is set.
void *lq_graph_take(struct lq_graph *graph, size_t size);

// ---- construction

#define LQ_INPUTS(...) ((struct lq_value *[]){__VA_ARGS__, NULL})
#define LQ_ATTRS(...) ((struct lq_attr[]){__VA_ARGS__, {.kind = LQ_ATTR_END}})
#define LQ_NO_ATTRS ((struct lq_attr[]){{.kind = LQ_ATTR_END}})

static inline struct lq_attr lq_int(const char *name, int64_t value)
{
    return (struct lq_attr){.kind = LQ_ATTR_INT, .name = name, .i = value};
}

static inline struct lq_attr lq_float(const char *name, float value)
{
    return (struct lq_attr){.kind = LQ_ATTR_FLOAT, .name = name, .f = value};
}

static inline struct lq_attr lq_ints(const char *name, const int64_t *values, int count)
{
    return (struct lq_attr){.kind = LQ_ATTR_INTS, .name = name, .ints = values, .count = count};
}

// `text` is not copied.
static inline struct lq_attr lq_text(const char *name, const char *text)
{
    return (struct lq_attr){.kind = LQ_ATTR_TEXT, .name = name, .text = text};
}

// Adds a node with one output and returns that output. `op` and attribute names are not copied.
struct lq_value *lq_graph_add(struct lq_graph *graph, const char *op, struct lq_value **inputs,
                              const struct lq_attr *attrs);

// The same with `count` outputs, which are written to `outputs`.
void lq_graph_add_many(struct lq_graph *graph, const char *op, struct lq_value **inputs,
                       const struct lq_attr *attrs, struct lq_value **outputs, int count);

struct lq_value *lq_graph_input(struct lq_graph *graph, const char *name, enum lq_onnx_type type,
                                const struct lq_shape *shape);

// Data is not copied.
struct lq_value *lq_graph_constant(struct lq_graph *graph, enum lq_onnx_type type,
                                   const struct lq_shape *shape, const void *data);
struct lq_value *lq_graph_i64s(struct lq_graph *graph, const int64_t *values, int count); // [count]
struct lq_value *lq_graph_f32(struct lq_graph *graph, float value);                       // []
struct lq_value *lq_graph_f32s(struct lq_graph *graph, const float *values,
                               const struct lq_shape *shape);

// ---- inspection

size_t lq_onnx_bytes(enum lq_onnx_type type); // of one item; 0 for a type that we do not write
// Product of all sizes; -1 if one is unknown or the product is absurdly large.
int64_t lq_shape_items(const struct lq_shape *shape);
bool lq_shape_equal(const struct lq_shape *a, const struct lq_shape *b);
struct lq_shape lq_shape_of(int rank, const int64_t *dims);
// Writes "[1,3,?,?]", for messages, to `text` (`size` bytes).
const char *lq_shape_text(const struct lq_shape *shape, char *text, size_t size);

const struct lq_attr *lq_node_attr(const struct lq_node *node, const char *name); // NULL: none
int64_t lq_node_int(const struct lq_node *node, const char *name, int64_t otherwise);

// Infers the shapes and types of a node's outputs from its inputs (infer.c).
LQ_MUST_CHECK int lq_infer(struct lq_graph *graph, struct lq_node *node);

// ---- completion

// Moves quantisation from after a Concat to before it (move_quantise.c). Call it before
// lq_graph_prune.
void lq_graph_move_quantise(struct lq_graph *graph);

// Removes nodes and constants that no output needs, and gives every value a unique name.
void lq_graph_prune(struct lq_graph *graph);

// Stores large float constants as float16, with a Cast back before their use, unless one of their
// numbers exceeds float16's range (store_f16.c). Call it after lq_graph_prune.
void lq_graph_store_f16(struct lq_graph *graph);

// number of nodes; NULL counts all
int lq_graph_count(const struct lq_graph *graph, const char *op);

// Writes the model as ONNX into `out` (onnx.c).
struct lq_buf;
LQ_MUST_CHECK int lq_graph_write(struct lq_graph *graph, const char *name, struct lq_buf *out);
