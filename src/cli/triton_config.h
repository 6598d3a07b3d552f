// Writes a Triton model configuration (config.pbtxt) for one of our models.
// Source: triton-inference-server/common model_config.proto and the backends' own documents.
// Threads: any. Owner: the caller owns what the struct points to.
#pragma once

#include "engine/engine.h"

// What runs the model in Triton.
enum lq_triton_platform {
    LQ_TRITON_PYTHON,   // OpenVINO on the processor, through the python backend
    LQ_TRITON_ONNX,     // ONNX Runtime on a GPU, with TensorRT if a precision is given
    LQ_TRITON_PLAN,     // an engine built by trtexec
};
enum lq_triton_precision { LQ_TRITON_F32, LQ_TRITON_FP16, LQ_TRITON_INT8 };

struct lq_triton_config {
    const char *name;
    enum lq_triton_platform platform;
    enum lq_triton_precision precision; // for TensorRT
    bool tensorrt;
    bool typed;           // TensorRT 11 or later: the model file determines the precision, not
                          // options
    int instances;
    int batch_max;        // 0: the model does not take batches
    int queue_delay_us;
    const char *sidecar;  // its JSON on one line, or NULL
    struct lq_tensors tensors; // full shapes, batch first; -1: open dimension; input 0 has the type
                               // in which it is sent
    bool channels_first;
    int size_count;
    struct { int width, height; } sizes[4];
};

LQ_MUST_CHECK int lq_triton_config_print(const struct lq_triton_config *config,
                                         struct lq_buf *out);

// Whether input 0's name can be used in a command: letters, digits, '_', '-', '.', '/', ':'.
bool lq_triton_config_can_trtexec(const struct lq_triton_config *config);

// Prints the trtexec command that builds 1/model.plan from model.onnx, on one line.
LQ_MUST_CHECK int lq_triton_config_print_trtexec(const struct lq_triton_config *config,
                                                 struct lq_buf *out);
