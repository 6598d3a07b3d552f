// Amends ONNX models that cannot be used as they are.
// Threads: any; nothing is shared. Owner: the caller owns input and output.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Makes int8 and uint8 inputs that are dequantised first, and outputs that are quantised last,
// float32 (lq_convert produces such models from fully quantised .tflite files). Replaces Slices
// that split a value by one Split (join_slices.h). MODEL: there is nothing to amend.
LQ_MUST_CHECK int lq_onnx_amend(const uint8_t *model, size_t len, struct lq_buf *out,
                                struct lq_error *err);
