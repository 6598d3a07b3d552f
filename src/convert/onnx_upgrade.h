// An ONNX model of opset 11 or 12 made one of opset 13, the first whose DequantizeLinear has a
// scale a channel. Threads: any. Owner: the model stays the caller's.
// Source: what onnx.ai/onnx/operators says of each operator's versions.
#pragma once

#include "format/onnx.h"

// Axes and sizes that were attributes become inputs (Squeeze, Unsqueeze, ReduceSum, Split).
// MODEL, naming the node, where that cannot be done: a Softmax over several axes at once, a node
// with a graph of its own, or an older opset. Nothing is done to opset 13 and later.
LQ_MUST_CHECK int lq_onnx_upgrade(struct lq_onnx *onnx, const char *name, struct lq_error *err);
