// Replaces pairs of QuantizeLinear and DequantizeLinear by OpenVINO's own FakeQuantize, which
// rounds to the same numbers. OpenVINO 2026.4 treats a pair of signed bytes without a zero point as
// two steps with a range each. On processors whose int8 products need unsigned bytes (VNNI without
// AMX) it then rounds the inputs of a Concat to 255 * scale + 1 levels instead of 256, and leaves
// the layers there in float if that is one or two levels.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "format/onnx.h"

// Changes the model so that only OpenVINO can read it; returns the number of pairs replaced.
int lq_fake_quantize(struct lq_onnx *onnx);
