// Quantises one layer's weights to eight bits, and names the nodes and constants that quantisation
// adds.
// Threads: any. Owner: nothing is kept.
// Sources: R. Krishnamoorthi, arXiv:1806.08342 (a scale per channel); M. Nagel et al., "Data-Free
// Quantization Through Weight Equalization and Bias Correction", ICCV 2019 (biases).
#pragma once

#include "convert/quantise_plan.h"

enum { LQ_QUANTISE_NAME_MAX = 400 };

#define LQ_QUANTISE_ZERO "quantise#zero" // the zero point that all activations share

// Writes "<value>#<what>".
void lq_quantise_name(char name[LQ_QUANTISE_NAME_MAX], const char *value, const char *what);
void lq_quantise_add_scale(struct lq_onnx *onnx, const char *name, float scale);
void lq_quantise_add_zero(struct lq_onnx *onnx);

// Inserts QuantizeLinear and DequantizeLinear of `value` before the node whose index is now `at`;
// the rounded value is named `rounded`.
void lq_quantise_insert_pair(struct lq_onnx *onnx, size_t at, const char *value, const char *scale,
                             const char *rounded);

// Stores the weights of the node that computes `layer->name` as int8, followed by a
// DequantizeLinear. With `correct_bias`, subtracts from the bias what the rounding changes in each
// channel's mean. False: out of memory, or there is no such node.
bool lq_quantise_weights(struct lq_onnx *onnx, const struct lq_layer *layer, bool correct_bias);
