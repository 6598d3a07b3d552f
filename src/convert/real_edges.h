// An ONNX model whose pictures go in, or whose results come out, as quantised numbers: made one that
// takes and gives what they mean. Such are what lq_convert makes of fully quantised .tflite files.
// Threads: any; nothing is shared. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// int8 and uint8 inputs that are dequantised first, and outputs that are quantised last, become
// float32. MODEL when there are none.
LQ_MUST_CHECK int lq_onnx_real_edges(const uint8_t *model, size_t len, struct lq_buf *out,
                                     struct lq_error *err);
