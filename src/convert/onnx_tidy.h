// An ONNX model in the form that quantisation works on: weights are float32 constants of the graph.
// Threads: any. Owner: the model stays the caller's.
#pragma once

#include "format/onnx.h"

// Constant nodes become constants of the graph; Identity and Cast of constants are done beforehand;
// a BatchNormalization behind a convolution goes into its weights.
// Opset 11 and 12 become 13 (onnx_upgrade.h).
// MODEL, with what to do: quantised already, computed in float16, or of an older opset.
LQ_MUST_CHECK int lq_onnx_tidy(struct lq_onnx *onnx, const char *name, struct lq_error *err);
