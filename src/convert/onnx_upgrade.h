// Upgrades an ONNX model of opset 11 or 12 to opset 13, the first whose DequantizeLinear has a
// scale per channel. Threads: any. Owner: the caller keeps the model.
// Source: the version history of each operator at onnx.ai/onnx/operators.
#pragma once

#include "format/onnx.h"

// Turns axes and sizes from attributes into inputs (Squeeze, Unsqueeze, ReduceSum, Split). Opset 13
// and later are not changed. MODEL, naming the node, if that is not possible: a Softmax over
// several axes at once, a node with a subgraph, or an older opset.
LQ_MUST_CHECK int lq_onnx_upgrade(struct lq_onnx *onnx, const char *name, struct lq_error *err);
