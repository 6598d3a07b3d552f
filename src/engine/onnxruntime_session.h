// A model in ONNX Runtime on one device (a session), and the tensors it is run on (a slot).
// Private to this layer; call lq_ort_load first. Threads: a session is shared; a slot belongs to
// one thread at a time; on a GPU, only one slot of a session runs at a time.
// Owner: open/close and new/free by the caller; free the slots before closing their session.
#pragma once

#include "engine/onnxruntime_parts.h"

struct lq_ort_session_options {
    enum lq_device device; // CPU, CUDA or TENSORRT; a GPU's parts are already loaded
    const struct lq_gpu *gpu;
    const char *name;      // the model's, for messages
    const char *folder;    // folder of external weights; NULL: there are none
    const char *cache_dir; // for TensorRT's engines; NULL: do not store them
    int threads;           // on the CPU only
    bool describe_only;    // do not compile anything
    bool graphs;           // record one run as a CUDA graph and replay it from then on
    bool whole_numbers;    // the model has QuantizeLinear/DequantizeLinear: TensorRT may compute in
                           // int8
    int batch_max;         // over 1: the model's first dimension is open
    const char *input;     // name of input 0 if it is already known; else NULL
    int rank;              // of `shape`: the shape of input 0 with a batch of 1
    int64_t shape[LQ_TENSOR_RANK_MAX];
};

struct lq_ort_model;
struct lq_ort_slot;

LQ_MUST_CHECK int lq_ort_model_open(struct lq_ort_model **model, const struct lq_buf *bytes,
                                    const struct lq_ort_session_options *options,
                                    struct lq_error *err);
void lq_ort_model_close(struct lq_ort_model *model); // model may be NULL
// As the file declares them.
const struct lq_tensors *lq_ort_model_tensors(const struct lq_ort_model *model);

// Allocates tensors for a batch of this size, in memory the device can read fast. Runs the model
// once, which determines the sizes of outputs and lets the device allocate what it needs.
LQ_MUST_CHECK int lq_ort_slot_new(struct lq_ort_slot **slot, struct lq_ort_model *model, int batch,
                                  struct lq_error *err);
void lq_ort_slot_free(struct lq_ort_slot *slot); // slot may be NULL
const struct lq_tensors *lq_ort_slot_tensors(const struct lq_ort_slot *slot);
LQ_MUST_CHECK int lq_ort_slot_run(struct lq_ort_slot *slot, struct lq_error *err);
