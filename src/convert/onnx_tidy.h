// Brings an ONNX model into the form that quantisation needs: weights are float32 constants of the
// graph.
// Threads: any. Owner: the caller keeps the model.
#pragma once

#include "format/onnx.h"

// Turns Constant nodes into constants of the graph, evaluates Identity and Cast of constants, and
// folds a BatchNormalization after a convolution into its weights. Upgrades opset 11 and 12 to 13
// (onnx_upgrade.h).
// MODEL, with what to do: already quantised, computed in float16, or an older opset.
LQ_MUST_CHECK int lq_onnx_tidy(struct lq_onnx *onnx, const char *name, struct lq_error *err);
