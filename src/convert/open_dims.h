// An ONNX model whose inputs and outputs say a fixed shape, made to say which dimensions are open:
// ONNX Runtime and TensorRT hold a model to what it says, though its graph may take any batch and
// size. Nothing but those shapes changes; inner shapes that were written down go.
// Threads: any. Owner: the caller owns what goes in and what comes out.
#pragma once

#include "engine/engine.h"

// tensors: which dimensions of which inputs and outputs, by name, are open (-1); an open one at the
// front is called "batch". That the graph takes what is opened is the caller's to know. MODEL when
// it is no ONNX.
LQ_MUST_CHECK int lq_onnx_open_dims(const uint8_t *model, size_t len,
                                    const struct lq_tensors *tensors, struct lq_buf *out,
                                    struct lq_error *err);
