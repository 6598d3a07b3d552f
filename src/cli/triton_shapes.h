// What OpenVINO finds out about a model that is to be served: sizes and shapes. All of it is done
// in processes of their own (base/child.h). Threads: the main one, before any other is
// started. Owner: the caller, of what is filled in.
#pragma once

#include "cli/triton_config.h"

// The sizes of the model that was given: its sidecar may name them. *onnx: what is served is an
// ONNX model; a .tflite that the engine refuses is served as what it is converted to, an .onnx as
// what it is amended to (*amended).
LQ_MUST_CHECK int lq_triton_find_sizes(struct lq_triton_config *config, const char *model,
                                       bool *onnx, bool *amended, struct lq_error *err);

// Tensors, which of their dimensions are open, and whether it takes batches: of the file that will
// be served. `model` is what messages call it.
LQ_MUST_CHECK int lq_triton_find_shapes(struct lq_triton_config *config, const char *model,
                                        const char *served, int batch_max, struct lq_error *err);
