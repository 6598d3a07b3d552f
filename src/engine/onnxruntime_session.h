// A model in ONNX Runtime on one device, and the tensors that it is run on.
// Inside this layer only, after lq_ort_load. Threads: a session is shared; a slot belongs to one
// thread at a time; on a GPU one slot of a session runs at a time.
// Owner: open/close and new/free by the caller; a session is closed after its slots are freed.
#pragma once

#include "engine/onnxruntime_parts.h"

struct lq_ort_session_options {
    enum lq_device device; // CPU, CUDA or TENSORRT; the parts of a GPU are loaded
    const struct lq_gpu *gpu;
    const char *name;      // of the model, for messages
    const char *folder;    // where weights beside the model are; NULL: there are none
    const char *cache_dir; // for TensorRT's engines; NULL: none are kept
    int threads;           // on the CPU
    bool describe_only;    // compile nothing
    bool graphs;           // record a run once as a CUDA graph and play it from then on
    bool whole_numbers;    // the model has Q/DQ: TensorRT may compute in int8
    int batch_max;         // the model's first dimension is open where it is over 1
    const char *input;     // its name, where it is known already; NULL
    int rank;              // of `shape`: what input 0 has, with a batch of 1
    int64_t shape[LQ_TENSOR_RANK_MAX];
};

struct lq_ort_model;
struct lq_ort_slot;

LQ_MUST_CHECK int lq_ort_model_open(struct lq_ort_model **model, const struct lq_buf *bytes,
                                    const struct lq_ort_session_options *options,
                                    struct lq_error *err);
void lq_ort_model_close(struct lq_ort_model *model); // NULL is fine
// As the file declares them.
const struct lq_tensors *lq_ort_model_tensors(const struct lq_ort_model *model);

// Tensors for a batch of this size, in memory that the device reads fast. Runs the model once: the
// sizes of outputs are known after it, and the device has set up what it takes.
LQ_MUST_CHECK int lq_ort_slot_new(struct lq_ort_slot **slot, struct lq_ort_model *model, int batch,
                                  struct lq_error *err);
void lq_ort_slot_free(struct lq_ort_slot *slot); // NULL is fine
const struct lq_tensors *lq_ort_slot_tensors(const struct lq_ort_slot *slot);
LQ_MUST_CHECK int lq_ort_slot_run(struct lq_ort_slot *slot, struct lq_error *err);
