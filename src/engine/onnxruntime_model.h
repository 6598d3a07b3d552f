// What a session holds, shared by onnxruntime_session.c, which opens it, and onnxruntime_slot.c,
// which runs it.
// Threads and owner: onnxruntime_session.h.
#pragma once

#include "engine/onnxruntime_load.h"
#include "engine/onnxruntime_session.h"

struct lq_ort_model {
    struct lq_ort_session *session;
    enum lq_device device;
    bool graphs;
    struct lq_tensors tensors;
    int rank;
    int64_t shape[LQ_TENSOR_RANK_MAX]; // of input 0
    // On the CPU, the library's own memory; for a GPU, pinned memory, which the GPU copies by
    // itself.
    struct lq_ort_allocator *host, *gpu;
    struct lq_ort_memory *pinned_memory, *gpu_memory;
};

// Indexed by enum lq_tensor_type.
static const int lq_ort_elements[] = {
    [LQ_TENSOR_F32] = LQ_ORT_FLOAT,  [LQ_TENSOR_F16] = LQ_ORT_FLOAT16,
    [LQ_TENSOR_U8] = LQ_ORT_UINT8,   [LQ_TENSOR_I8] = LQ_ORT_INT8,
    [LQ_TENSOR_I32] = LQ_ORT_INT32,  [LQ_TENSOR_I64] = LQ_ORT_INT64,
    [LQ_TENSOR_I16] = LQ_ORT_INT16,  [LQ_TENSOR_BOOL] = LQ_ORT_BOOL,
    [LQ_TENSOR_F64] = LQ_ORT_DOUBLE,
};

// Reads type, rank and dims of a tensor; rank is -1 if there are too many dimensions.
struct lq_ort_status *lq_ort_describe(const struct lq_ort_shape *shape, struct lq_tensor *tensor);
