// Reads and writes the numbers of an ONNX model's constants.
// Threads: one owner. Owner: as format/onnx.h.
#pragma once

#include "format/onnx.h"

// Returns a float32 or float16 constant's numbers as floats, whether stored as raw bytes or not.
// NULL: another type, damaged, or out of memory. The caller frees them.
float *lq_onnx_floats(const Onnx__TensorProto *tensor);

// Replaces the constant's numbers by float32 of the same shape.
void lq_onnx_set_floats(struct lq_onnx *onnx, Onnx__TensorProto *tensor, const float *numbers,
                        size_t count);
