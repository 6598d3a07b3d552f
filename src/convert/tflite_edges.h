// The axis order of a .tflite model's inputs.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "format/tflite.h"

// Whether an input of rank 4 has its channels last, as in TensorFlow's own exports; exports from
// PyTorch (litert-torch, ai-edge-torch) may have them first.
bool lq_tflite_channels_last(const struct lq_tflite *model, int tensor);
