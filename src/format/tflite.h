// A TensorFlow Lite model, read in place: only its structure is copied.
// Threads: a model is read-only once read. Owner: init/release by the caller; the file's bytes must
// outlive the model. lq_tflite_read checks every offset and size, so the accessors cannot fail.
// Source: the public schema of the format (schema version 3); tflite.c explains the bytes.
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
    int type;         // enum lq_tflite_type, or a number without a name there
    int rank;         // number of entries in dims
    int64_t dims[LQ_RANK_MAX]; // -1: open
    bool ranked;      // false: the file does not give a shape
    bool variable;    // keeps its value between runs
    const uint8_t *data; // a constant's bytes, in row-major order; NULL when there are none
    size_t bytes;
    // real = (stored - zero) * scale; one scale, or one for each index of axis `scale_axis`.
    int scale_count, zero_count, scale_axis;
    const uint8_t *scales, *zeros; // f32 and i64, at any alignment
    size_t sparsity; // position of its table; 0 for an ordinary constant
};

struct lq_tflite_op {
    int builtin;        // the schema's BuiltinOperator
    const char *custom; // name of a custom operator, else NULL
    struct lq_flat_list inputs, outputs; // tensor numbers; -1 as an input means it is omitted
    size_t options;     // position of the table; 0 when absent
    const uint8_t *custom_options;
    size_t custom_bytes;
};

struct lq_tflite {
    const uint8_t *data;
    size_t len;
    struct lq_arena arena;
    int tensor_count, op_count;
    struct lq_tflite_tensor *tensors;
    struct lq_tflite_op *ops; // in execution order
    struct lq_flat_list inputs, outputs;
    // position of the offset of the outputs' vector, which convert/report.c redirects
    size_t outputs_at;
    int graph_count;   // in the file; lq_tflite_read reads the first graph
};

// Whether the format's identifier stands at byte 4.
bool lq_tflite_is(const uint8_t *data, size_t len);

LQ_MUST_CHECK int lq_tflite_read(struct lq_tflite *model, const uint8_t *data, size_t len,
                                 struct lq_error *err);
// Reads another graph of the same file. Its structure lives in `arena`: do not release it.
LQ_MUST_CHECK int lq_tflite_read_graph(struct lq_tflite *graph, const struct lq_tflite *model,
                                       struct lq_arena *arena, int number, struct lq_error *err);
void lq_tflite_release(struct lq_tflite *model);

float lq_tflite_scale(const struct lq_tflite_tensor *tensor, int i);
int64_t lq_tflite_zero(const struct lq_tflite_tensor *tensor, int i); // 0 if the file gives none

// Field `field` of an operator's options (0 is the first field of the schema's table), or
// `otherwise`.
int32_t lq_tflite_option(const struct lq_tflite *model, const struct lq_tflite_op *op,
                         unsigned field, int32_t otherwise);
float lq_tflite_option_float(const struct lq_tflite *model, const struct lq_tflite_op *op,
                             unsigned field, float otherwise);
// A field stored as one byte: bool, padding, activation, tensor type.
int lq_tflite_option_byte(const struct lq_tflite *model, const struct lq_tflite_op *op,
                          unsigned field, int otherwise);
struct lq_flat_list lq_tflite_option_ints(const struct lq_tflite *model,
                                            const struct lq_tflite_op *op, unsigned field);

// "CONV_2D", a custom operator's own name, or "builtin 999". Valid until this thread's next call.
const char *lq_tflite_op_name(const struct lq_tflite_op *op);
// The schema's name of an operator, or "builtin 999" if it has none there (valid until this
// thread's next call; tflite_names.c).
const char *lq_tflite_builtin_name(int builtin);

// ---- sparse constants (tflite_sparse.c)

// Expands a sparse constant to `bytes` bytes, as its shape and type require, with zeros elsewhere.
// Subtracts the number of steps from `steps_left`, which limits the total work that all constants
// of a hostile file can cause. LQ_ERR_TOO_LARGE: no steps are left; LQ_ERR_MODEL: the constant is
// damaged.
LQ_MUST_CHECK int lq_tflite_densify(const struct lq_tflite *model,
                                    const struct lq_tflite_tensor *tensor, int item_bytes,
                                    int64_t *steps_left, uint8_t *out, size_t bytes);
