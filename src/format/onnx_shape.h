// The size of an ONNX model's first input, changed: ONNX Runtime holds a model to the sizes that
// its file says, though its graph may take any. Outputs and what lies between are left without
// sizes, for the runtime works them out.
// Threads: any. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Writes the model with input 0 (the first input that no initializer stands for) of this shape, a
// dimension of -1 left open (the first is called "batch"). MODEL when it is no ONNX model.
LQ_MUST_CHECK int lq_onnx_bind_shape(const uint8_t *model, size_t len, const int64_t *shape,
                                     int rank, struct lq_buf *out, struct lq_error *err);
