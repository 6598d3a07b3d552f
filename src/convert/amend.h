// ONNX models that are not to be used as they are, amended.
// Threads: any; nothing is shared. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// int8 and uint8 inputs that are dequantised first, and outputs that are quantised last, become
// float32: such is what lq_convert makes of fully quantised .tflite files. Slices that take a value
// apart become a Split (join_slices.h). MODEL when there is nothing of either.
LQ_MUST_CHECK int lq_onnx_amend(const uint8_t *model, size_t len, struct lq_buf *out,
                                struct lq_error *err);
