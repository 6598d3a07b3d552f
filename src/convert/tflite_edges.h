// How a .tflite model's inputs lie.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "format/tflite.h"

// Whether an input of rank 4 has its channels last, as TensorFlow's own exporters have it; those
// that come from PyTorch (litert-torch, ai-edge-torch) may have them first.
bool lq_tflite_channels_last(const struct lq_tflite *model, int tensor);
