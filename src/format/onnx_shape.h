// Changes the size of an ONNX model's first input. ONNX Runtime enforces the sizes written in the
// file, even if the graph would accept others. The sizes of outputs and intermediate values are
// removed; the runtime infers them.
// Threads: any. Owner: the caller owns input and output.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Writes the model with this shape for input 0 (the first input without an initializer). A
// dimension of -1 stays open (the first is called "batch"). Fails with MODEL if this is no ONNX
// model.
LQ_MUST_CHECK int lq_onnx_bind_shape(const uint8_t *model, size_t len, const int64_t *shape,
                                     int rank, struct lq_buf *out, struct lq_error *err);
