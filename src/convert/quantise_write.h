// A tidy ONNX model with its quantised layers written as QuantizeLinear and DequantizeLinear.
// Threads: any. Owner: nothing is kept.
// Sources: TensorRT's and OpenVINO's rules for such graphs (both want symmetric int8 and a scale a
// channel for weights).
#pragma once

#include "convert/quantise_plan.h"

struct lq_quantise_way {
    enum lq_range_rule rule;
    bool correct_biases; // what rounded weights change in each channel's mean is taken off the bias
};

// `onnx` is changed: the plan's layers that are `quantised`. Their sources' histograms must be
// full.
LQ_MUST_CHECK int lq_quantise_write(struct lq_onnx *onnx, const struct lq_plan *plan,
                                    const struct lq_quantise_way *way, struct lq_error *err);
