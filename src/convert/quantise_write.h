// Writes a tidy ONNX model with its quantised layers as QuantizeLinear and DequantizeLinear.
// Threads: any. Owner: nothing is kept.
// Sources: the rules of TensorRT and OpenVINO for such graphs (both need symmetric int8, and one
// scale per channel for weights).
#pragma once

#include "convert/quantise_plan.h"

struct lq_quantise_way {
    enum lq_range_rule rule;
    bool correct_biases; // subtract from the bias what rounding the weights changes in a channel's
                         // mean
};

// Changes `onnx`: quantises the plan's layers that are `quantised`. The histograms of their sources
// must be filled.
LQ_MUST_CHECK int lq_quantise_write(struct lq_onnx *onnx, const struct lq_plan *plan,
                                    const struct lq_quantise_way *way, struct lq_error *err);
