// An ONNX model whose picture input is in single precision, made to take it in another type: what
// travels to a server is then a quarter or half as large.
// Bytes are 0..255 and become (byte / 255 - mean) / std by a Cast and a Mul, and an Add where there
// is a mean. The Cast comes first, for TensorRT takes bytes into a Cast and nothing else.
// Threads: any. Owner: the caller owns what goes in and what comes out.
#pragma once

#include "engine/engine.h"

// What the picture's values travel as.
struct lq_input_format {
    enum lq_tensor_type type;    // LQ_TENSOR_U8 or LQ_TENSOR_F16
    struct lq_pixel_rule pixels; // of U8: what the bytes become in the model
};

// input: which one, by its name; its name and type become those that the result has. MODEL when
// that is no ONNX with such an input in single precision.
LQ_MUST_CHECK int lq_onnx_retype_input(const uint8_t *model, size_t len, struct lq_tensor *input,
                                       const struct lq_input_format *format, struct lq_buf *out,
                                       struct lq_error *err);
