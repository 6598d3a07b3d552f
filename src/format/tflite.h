// A TensorFlow Lite model, read where it lies: nothing is copied but the outline.
// Threads: a model is read-only once read. Owner: init/release by the caller; the file's bytes must
// outlive the model. Every offset and size has been checked when lq_tflite_read returns 0, so the
// accessors cannot fail.
// Source: the public schema of the format (schema version 3); tflite.c explains its bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "format/flatbuffer.h"

enum { LQ_RANK_MAX = 8 };

// The schema's TensorType.
enum lq_tflite_type {
    LQ_TFLITE_F32 = 0, LQ_TFLITE_F16 = 1, LQ_TFLITE_I32 = 2, LQ_TFLITE_U8 = 3, LQ_TFLITE_I64 = 4,
    LQ_TFLITE_BOOL = 6, LQ_TFLITE_I16 = 7, LQ_TFLITE_I8 = 9, LQ_TFLITE_F64 = 10,
};

struct lq_tflite_tensor {
    const char *name; // NUL-terminated, in the file; never NULL
    int type;         // enum lq_tflite_type, or a number that it does not name
    int rank;         // of dims
    int64_t dims[LQ_RANK_MAX]; // -1 where the model leaves one open
    bool ranked;      // false: the file says nothing about the shape
    bool variable;    // keeps its value from one run to the next
    const uint8_t *data; // a constant's bytes, in row-major order; NULL when there are none
    size_t bytes;
    // real = (stored - zero) * scale; one scale, or one for each index of axis `scale_axis`.
    int scale_count, zero_count, scale_axis;
    const uint8_t *scales, *zeros; // f32 and i64, at any alignment
    size_t sparsity; // where its table stands; 0 for an ordinary constant
};

struct lq_tflite_op {
    int builtin;        // the schema's BuiltinOperator
    const char *custom; // name of a custom operator, else NULL
    struct lq_flat_list inputs, outputs; // tensor numbers; an input may be -1: left out
    size_t options;     // where the table stands; 0 when absent
    const uint8_t *custom_options;
    size_t custom_bytes;
};

struct lq_tflite {
    const uint8_t *data;
    size_t len;
    struct lq_arena arena;
    int tensor_count, op_count;
    struct lq_tflite_tensor *tensors;
    struct lq_tflite_op *ops; // in the order in which they run
    struct lq_flat_list inputs, outputs;
    // where the offset of the outputs' vector stands (trace.c turns it elsewhere)
    size_t outputs_at;
    int graph_count;   // of the file; lq_tflite_read reads the first
};

// True for the format's mark at byte 4.
bool lq_tflite_is(const uint8_t *data, size_t len);

LQ_MUST_CHECK int lq_tflite_read(struct lq_tflite *model, const uint8_t *data, size_t len,
                                 struct lq_error *err);
// Another graph of the same file, its outline in `arena`: not to be released.
LQ_MUST_CHECK int lq_tflite_read_graph(struct lq_tflite *graph, const struct lq_tflite *model,
                                       struct lq_arena *arena, int number, struct lq_error *err);
void lq_tflite_release(struct lq_tflite *model);

float lq_tflite_scale(const struct lq_tflite_tensor *tensor, int i);
int64_t lq_tflite_zero(const struct lq_tflite_tensor *tensor, int i); // 0 when none is given

// Field `field` of an operator's options (0 is the first of the schema's table), or `otherwise`.
int32_t lq_tflite_option(const struct lq_tflite *model, const struct lq_tflite_op *op,
                         unsigned field, int32_t otherwise);
float lq_tflite_option_float(const struct lq_tflite *model, const struct lq_tflite_op *op,
                             unsigned field, float otherwise);
// One byte wide in the file: bool, padding, activation, tensor type.
int lq_tflite_option_byte(const struct lq_tflite *model, const struct lq_tflite_op *op,
                          unsigned field, int otherwise);
struct lq_flat_list lq_tflite_option_ints(const struct lq_tflite *model,
                                            const struct lq_tflite_op *op, unsigned field);

// "CONV_2D", a custom operator's own name, or "builtin 999". Valid until the next call in this
// thread.
const char *lq_tflite_op_name(const struct lq_tflite_op *op);
// The schema's name of an operator, "builtin 999" for one that it does not name (then valid until
// this thread's next call; tflite_names.c).
const char *lq_tflite_builtin_name(int builtin);

// ---- sparse constants (tflite_sparse.c)

// Writes a sparse constant out in full, `bytes` as its shape and type want; zeros elsewhere. Takes
// the steps it makes from `steps_left`, which bounds what all constants of a hostile file can ask
// for. LQ_ERR_TOO_LARGE: none are left; LQ_ERR_MODEL: it is damaged.
LQ_MUST_CHECK int lq_tflite_densify(const struct lq_tflite *model,
                                    const struct lq_tflite_tensor *tensor, int item_bytes,
                                    int64_t *steps_left, uint8_t *out, size_t bytes);
