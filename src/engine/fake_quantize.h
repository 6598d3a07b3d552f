// Pairs of QuantizeLinear and DequantizeLinear as OpenVINO's own FakeQuantize, which rounds to the
// same numbers. OpenVINO 2026.4 takes a pair of signed bytes without a zero point for two steps
// with a range each. On processors whose products want unsigned bytes (VNNI without AMX) it then
// rounds what meets in a Concat to 255 * scale + 1 levels in place of 256, and leaves the layers
// there in float where those are one or two.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "format/onnx.h"

// Changes the model, which only OpenVINO can read then, and returns how many pairs were replaced.
int lq_fake_quantize(struct lq_onnx *onnx);
