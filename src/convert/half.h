// Converts a single-precision ONNX model to half precision: constants and inner values become
// FLOAT16; inputs and outputs keep their type, with a Cast next to each. From version 11 TensorRT
// takes a network's precision only from the model.
// Threads: any. Owner: the caller owns input and output.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// MODEL: not an ONNX model, or it contains something unsupported here: subgraphs, functions,
// external data, QuantizeLinear.
LQ_MUST_CHECK int lq_onnx_to_half(const uint8_t *model, size_t len, struct lq_buf *out,
                                  struct lq_error *err);

// How a model's QuantizeLinear and DequantizeLinear nodes suit TensorRT, which only supports signed
// bytes with a zero point of 0.
enum lq_onnx_scales { LQ_ONNX_SCALES_NONE, LQ_ONNX_SCALES_SYMMETRIC, LQ_ONNX_SCALES_OTHER };

// MODEL: not an ONNX model.
LQ_MUST_CHECK int lq_onnx_find_scales(const uint8_t *model, size_t len,
                                      enum lq_onnx_scales *scales, struct lq_error *err);
