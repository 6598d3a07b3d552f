// A model file as read for ONNX Runtime: its bytes, its tensors, and its session options.
// onnxruntime_open.c compiles it.
// Private to this layer. Threads and owner: as engine.h says for a model.
#pragma once

#include <limits.h>

#include "engine/onnxruntime_session.h"

enum { LQ_ORT_FILE_BYTES_MAX = INT32_MAX };

struct lq_ort_file {
    struct lq_engine_model model;
    struct lq_buf bytes;
    char folder[PATH_MAX]; // folder of external weights
    bool whole_numbers;    // it contains QuantizeLinear/DequantizeLinear
};

LQ_MUST_CHECK int lq_ort_file_read(struct lq_engine_model **model,
                                   const struct lq_engine_source *source, struct lq_error *err);
void lq_ort_file_forget(struct lq_engine_model *model); // model may be NULL

// Session options for one picture on the processor; the file owns their texts.
struct lq_ort_session_options lq_ort_file_session(const struct lq_ort_file *file);
