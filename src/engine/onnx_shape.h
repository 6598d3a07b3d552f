// The size of an ONNX model's first input, changed in its bytes: ONNX Runtime holds a model to the
// sizes that its file says, though its graph may take any. Outputs and what lies between are left
// without sizes, for the runtime works them out.
//
// A ModelProto (onnx.proto) is fields of a tag and a value; field 7 is the graph, of which 11 are
// inputs, 12 outputs and 13 what lies between, each with a name (1) and a type (2), of which 1 is a
// tensor type: element type (1) and shape (2), whose dimensions (1) hold a number (1) or a name
// (2).
// Threads: any. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stdbool.h>

#include "engine/engine.h"

// Appends the model with input 0 (the first input that no initializer stands for) of this shape;
// its first dimension is left open, called "batch", where open_batch says so. MODEL when it is no
// ONNX model.
LQ_MUST_CHECK int lq_onnx_bind_shape(const uint8_t *model, size_t len, const int64_t *shape,
                                    int rank, bool open_batch, struct lq_buf *out,
                                    struct lq_error *err);
