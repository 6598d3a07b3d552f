// Lets OpenVINO determine the sizes and shapes of a model that is to be served, in separate
// processes (base/child.h). Threads: the main one, before any other is started. Owner: the caller
// owns what is filled in.
#pragma once

#include "cli/triton_config.h"

// Determines the sizes of the given model, which its sidecar may set. *onnx: an ONNX model will be
// served; a .tflite that the engine rejects is served after conversion, an .onnx after amendment
// (*amended).
LQ_MUST_CHECK int lq_triton_find_sizes(struct lq_triton_config *config, const char *model,
                                       bool *onnx, bool *amended, struct lq_error *err);

// Determines the tensors, their open dimensions, and whether the model takes batches, from the file
// that will be served. `model` is the name used in messages.
LQ_MUST_CHECK int lq_triton_find_shapes(struct lq_triton_config *config, const char *model,
                                        const char *served, int batch_max, struct lq_error *err);
