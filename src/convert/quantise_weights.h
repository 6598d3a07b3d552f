// One layer's weights in eight bits, and the names that quantising gives to what it adds.
// Threads: any. Owner: nothing is kept.
// Sources: R. Krishnamoorthi, arXiv:1806.08342 (a scale a channel); M. Nagel et al., "Data-Free
// Quantization Through Weight Equalization and Bias Correction", ICCV 2019 (biases).
#pragma once

#include "convert/quantise_plan.h"

enum { LQ_QUANTISE_NAME_MAX = 400 };

#define LQ_QUANTISE_ZERO "quantise#zero" // the one zero point of all activations

// "<value>#<what>"
void lq_quantise_name(char name[LQ_QUANTISE_NAME_MAX], const char *value, const char *what);
void lq_quantise_add_scale(struct lq_onnx *onnx, const char *name, float scale);
void lq_quantise_add_zero(struct lq_onnx *onnx);

// Puts QuantizeLinear and DequantizeLinear of `value` before the node that has the number `at` now;
// what is rounded is called `rounded`.
void lq_quantise_insert_pair(struct lq_onnx *onnx, size_t at, const char *value, const char *scale,
                             const char *rounded);

// The weights of the node that makes `layer->name` become int8 behind a DequantizeLinear. With
// `correct_bias` what their rounding changes in each channel's mean is taken off its bias. False:
// out of memory, or there is no such node.
bool lq_quantise_weights(struct lq_onnx *onnx, const struct lq_layer *layer, bool correct_bias);
