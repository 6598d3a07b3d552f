// An ONNX model that computes in single precision, made to compute in half: constants and inner
// values become FLOAT16, inputs and outputs stay as they are, with a Cast beside each. TensorRT
// from version 11 takes a network's precision from the model alone.
// Threads: any. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// MODEL for what is no ONNX, or has what is not done here: subgraphs, functions, data in other
// files, QuantizeLinear.
LQ_MUST_CHECK int lq_onnx_to_half(const uint8_t *model, size_t len, struct lq_buf *out,
                                  struct lq_error *err);

// How a model's QuantizeLinear and DequantizeLinear nodes suit TensorRT, which takes signed bytes
// with a zero point of 0 alone.
enum lq_onnx_scales { LQ_ONNX_SCALES_NONE, LQ_ONNX_SCALES_SYMMETRIC, LQ_ONNX_SCALES_OTHER };

// MODEL when it is no ONNX.
LQ_MUST_CHECK int lq_onnx_find_scales(const uint8_t *model, size_t len,
                                      enum lq_onnx_scales *scales, struct lq_error *err);
