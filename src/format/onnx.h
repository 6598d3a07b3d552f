// An ONNX model as protobuf-c messages, for reading and editing: find nodes and constants by name,
// add and rename them. What is not edited stays as it is in the file.
// Threads: one owner. Owner: read/free by the caller; all messages are malloc'd and belong to the
// model.
// Source: the messages of onnx.proto (onnx.ai/onnx/repo-docs/IR.html).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "onnx.pb-c.h"

enum { LQ_ONNX_RANK_MAX = 8 };

struct lq_onnx {
    Onnx__ModelProto *message;
    Onnx__GraphProto *graph; // owned by message
    int64_t opset;           // version of the standard operators
    bool failed;             // memory ran out during an edit: the model must not be written
};

// MODEL: not an ONNX model, no graph, or a node without an operator. `name` appears in errors.
LQ_MUST_CHECK int lq_onnx_read(struct lq_onnx *onnx, const uint8_t *bytes, size_t len,
                               const char *name, struct lq_error *err);
void lq_onnx_free(struct lq_onnx *onnx); // also after lq_onnx_read failed
LQ_MUST_CHECK int lq_onnx_write(const struct lq_onnx *onnx, struct lq_buf *out,
                                struct lq_error *err);

// Initialises `copy` as an independent copy.
LQ_MUST_CHECK int lq_onnx_copy(struct lq_onnx *copy, const struct lq_onnx *from,
                               struct lq_error *err);

static inline bool lq_onnx_is(const Onnx__NodeProto *node, const char *op)
{
    const char *a = node->op_type;
    while (*a && *a == *op)
        a++, op++;
    return *a == *op;
}

// The name of input `index`; "" if the node has none there.
const char *lq_onnx_input(const Onnx__NodeProto *node, size_t index);

Onnx__TensorProto *lq_onnx_constant(const struct lq_onnx *onnx, const char *name); // or NULL
// number of the node that computes it; -1: none
int lq_onnx_maker(const struct lq_onnx *onnx, const char *value);
// node inputs and graph outputs that use it
int lq_onnx_users(const struct lq_onnx *onnx, const char *value);
// Whether any node holds a graph (If, Loop, Scan); such a graph sees the names of the outer graph.
bool lq_onnx_has_inner(const struct lq_onnx *onnx);
bool lq_onnx_is_output(const struct lq_onnx *onnx, const char *value);

// Returns `fallback` if the attribute is missing.
int64_t lq_onnx_attr_int(const Onnx__NodeProto *node, const char *name, int64_t fallback);
// Writes "" if it is missing; returns `text`.
const char *lq_onnx_attr_text(const Onnx__NodeProto *node, const char *name, char *text,
                              size_t size);
const Onnx__AttributeProto *lq_onnx_attr(const Onnx__NodeProto *node, const char *name);

// Number of items of a shape; -1 if a dimension is negative or the product exceeds 2^31.
int64_t lq_onnx_items(const Onnx__TensorProto *tensor);

// A tensor's values in memory, in row-major order.
struct lq_onnx_values {
    int type;            // ONNX__TENSOR_PROTO__DATA_TYPE__…
    const int64_t *dims; // `rank` sizes; NULL: a scalar
    size_t rank;
    const void *bytes;
    size_t len;          // bytes
};

// Adds a constant with a copy of these values. Returns NULL and sets `failed` if out of memory.
Onnx__TensorProto *lq_onnx_add_constant(struct lq_onnx *onnx, const char *name,
                                        const struct lq_onnx_values *values);
// Replaces the constant's numbers with a copy of these bytes.
void lq_onnx_set_bytes(struct lq_onnx *onnx, Onnx__TensorProto *tensor, const void *bytes,
                       size_t len);

// Makes a node, which lq_onnx_insert then adds to the graph; its name is that of its output.
// Returns NULL and sets `failed` if out of memory.
Onnx__NodeProto *lq_onnx_new_node(struct lq_onnx *onnx, const char *op, const char *const *inputs,
                                  size_t input_count, const char *output);
void lq_onnx_set_int(struct lq_onnx *onnx, Onnx__NodeProto *node, const char *name, int64_t value);
// Inserts a node before the node that now has number `before`; the graph takes ownership.
void lq_onnx_insert(struct lq_onnx *onnx, size_t before, Onnx__NodeProto *node);
// Removes the node with this number and frees it.
void lq_onnx_remove(struct lq_onnx *onnx, size_t index);

// Sets the node's input `index`, which may be one past its last input.
void lq_onnx_set_input(struct lq_onnx *onnx, Onnx__NodeProto *node, size_t index,
                       const char *value);
void lq_onnx_set_text(struct lq_onnx *onnx, char **text, const char *to);
// Renames node inputs from `from` to `to`; graph outputs are not changed.
void lq_onnx_redirect(struct lq_onnx *onnx, const char *from, const char *to);
// Removes constants, and nodes that make constants, if nothing uses them.
void lq_onnx_prune(struct lq_onnx *onnx);
// Makes the value an output of the graph, if it is not one yet.
void lq_onnx_add_output(struct lq_onnx *onnx, const char *value);
// The graph's first input that is not a constant; "" if there is none.
const char *lq_onnx_picture(const struct lq_onnx *onnx);
// Sets that input's shape; a negative size stays open, as "batch". False: the input is not a
// tensor.
bool lq_onnx_set_shape(struct lq_onnx *onnx, const int64_t *dims, int rank);
// Removes the sizes of outputs and intermediate values.
void lq_onnx_forget_shapes(struct lq_onnx *onnx);
