// Changes the type of an ONNX model's picture input from single precision to a smaller one, so that
// a quarter or half of the data is sent to a server.
// Bytes 0..255 become (byte / 255 - mean) / std by a Cast and a Mul, and an Add if there is a mean.
// The Cast comes first, because TensorRT accepts bytes only as the input of a Cast.
// Threads: any. Owner: the caller owns input and output.
#pragma once

#include "engine/engine.h"

// The type in which the picture's values are sent.
struct lq_input_format {
    enum lq_tensor_type type;    // LQ_TENSOR_U8 or LQ_TENSOR_F16
    struct lq_pixel_rule pixels; // for U8: how the model converts the bytes
};

// input: names the input; its name and type are updated to those in the result. MODEL: not an ONNX
// model with such an input in single precision.
LQ_MUST_CHECK int lq_onnx_retype_input(const uint8_t *model, size_t len, struct lq_tensor *input,
                                       const struct lq_input_format *format, struct lq_buf *out,
                                       struct lq_error *err);
