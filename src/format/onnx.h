// An ONNX model as protobuf-c's messages, to be read and changed: nodes and constants found by
// name, added, renamed. What is not touched stays as the file has it.
// Threads: one owner. Owner: read/free by the caller; all messages are malloc'd and the model's.
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
    Onnx__GraphProto *graph; // message's
    int64_t opset;           // of the standard operators
    bool failed;             // out of memory while it was changed: it must not be written
};

// MODEL: no ONNX model, or one without a graph, or nodes without an operator. `name` is for errors.
LQ_MUST_CHECK int lq_onnx_read(struct lq_onnx *onnx, const uint8_t *bytes, size_t len,
                               const char *name, struct lq_error *err);
void lq_onnx_free(struct lq_onnx *onnx); // also of what could not be read
LQ_MUST_CHECK int lq_onnx_write(const struct lq_onnx *onnx, struct lq_buf *out,
                                struct lq_error *err);

// An independent copy, initialised by this.
LQ_MUST_CHECK int lq_onnx_copy(struct lq_onnx *copy, const struct lq_onnx *from,
                               struct lq_error *err);

static inline bool lq_onnx_is(const Onnx__NodeProto *node, const char *op)
{
    const char *a = node->op_type;
    while (*a && *a == *op)
        a++, op++;
    return *a == *op;
}

// An input's name; "" where the node has none there.
const char *lq_onnx_input(const Onnx__NodeProto *node, size_t index);

Onnx__TensorProto *lq_onnx_constant(const struct lq_onnx *onnx, const char *name); // or NULL
int lq_onnx_maker(const struct lq_onnx *onnx, const char *value); // node's number; -1: none
int lq_onnx_users(const struct lq_onnx *onnx, const char *value); // nodes' inputs and graph outputs
// Whether a node holds a graph (If, Loop, Scan): that sees the names of the graph around it.
bool lq_onnx_has_inner(const struct lq_onnx *onnx);
bool lq_onnx_is_output(const struct lq_onnx *onnx, const char *value);

// `fallback` where the attribute is missing.
int64_t lq_onnx_attr_int(const Onnx__NodeProto *node, const char *name, int64_t fallback);
// "" where it is missing; returns `text`.
const char *lq_onnx_attr_text(const Onnx__NodeProto *node, const char *name, char *text,
                              size_t size);
const Onnx__AttributeProto *lq_onnx_attr(const Onnx__NodeProto *node, const char *name);

// Items of a shape; -1: a size below 0, or more than 2^31.
int64_t lq_onnx_items(const Onnx__TensorProto *tensor);

// A tensor's values as they lie in memory, rows last.
struct lq_onnx_values {
    int type;            // ONNX__TENSOR_PROTO__DATA_TYPE__…
    const int64_t *dims; // `rank` sizes; NULL: a scalar
    size_t rank;
    const void *bytes;
    size_t len;          // of them
};

// A new constant of these values, which are copied. NULL and `failed`: out of memory.
Onnx__TensorProto *lq_onnx_add_constant(struct lq_onnx *onnx, const char *name,
                                        const struct lq_onnx_values *values);
// The constant's numbers become these bytes, which are copied.
void lq_onnx_set_bytes(struct lq_onnx *onnx, Onnx__TensorProto *tensor, const void *bytes,
                       size_t len);

// A new node that is not in the graph yet: lq_onnx_insert puts it there. NULL and `failed`: out of
// memory. Its name is that of what it makes.
Onnx__NodeProto *lq_onnx_new_node(struct lq_onnx *onnx, const char *op, const char *const *inputs,
                                  size_t input_count, const char *output);
void lq_onnx_set_int(struct lq_onnx *onnx, Onnx__NodeProto *node, const char *name, int64_t value);
// Puts a node before the one that has this number now. Takes it.
void lq_onnx_insert(struct lq_onnx *onnx, size_t before, Onnx__NodeProto *node);
// Takes the node with this number out and frees it.
void lq_onnx_remove(struct lq_onnx *onnx, size_t index);

// The node's input of this number, which may be one more than it has.
void lq_onnx_set_input(struct lq_onnx *onnx, Onnx__NodeProto *node, size_t index,
                       const char *value);
void lq_onnx_set_text(struct lq_onnx *onnx, char **text, const char *to);
// Inputs that are `from` become `to`, graph outputs do not.
void lq_onnx_redirect(struct lq_onnx *onnx, const char *from, const char *to);
// Drops constants and makers of constants that nobody uses.
void lq_onnx_prune(struct lq_onnx *onnx);
// The value becomes an output of the graph, if it is none.
void lq_onnx_add_output(struct lq_onnx *onnx, const char *value);
// The graph's first input that is no constant; "" where there is none.
const char *lq_onnx_picture(const struct lq_onnx *onnx);
// Gives that input this shape; a size below 0 stays open, called "batch". False: it is no tensor.
bool lq_onnx_set_shape(struct lq_onnx *onnx, const int64_t *dims, int rank);
// Outputs, and what lies between, are left without sizes.
void lq_onnx_forget_shapes(struct lq_onnx *onnx);
