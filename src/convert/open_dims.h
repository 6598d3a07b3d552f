// Marks dimensions of an ONNX model's inputs and outputs as open. ONNX Runtime and TensorRT enforce
// the shapes written in a model, even if the graph would accept any batch and size. Only those
// shapes change; stored inner shapes are removed.
// Threads: any. Owner: the caller owns input and output.
#pragma once

#include "engine/engine.h"

// tensors: which dimensions of which inputs and outputs, by name, become open (-1); an open first
// dimension is called "batch". The caller must know that the graph accepts such sizes. MODEL: not
// an ONNX model.
LQ_MUST_CHECK int lq_onnx_open_dims(const uint8_t *model, size_t len,
                                    const struct lq_tensors *tensors, struct lq_buf *out,
                                    struct lq_error *err);
