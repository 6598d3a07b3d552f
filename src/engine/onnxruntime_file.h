// A model's file as it was read for ONNX Runtime: its bytes, its tensors, and what a session of it
// is told. onnxruntime_open.c compiles it.
// Inside this layer only. Threads and owner: as engine.h says of a model that was read.
#pragma once

#include <limits.h>

#include "engine/onnxruntime_session.h"

enum { LQ_ORT_FILE_BYTES_MAX = INT32_MAX };

struct lq_ort_file {
    struct lq_engine_model model;
    struct lq_buf bytes;
    char folder[PATH_MAX]; // where weights beside it are
    bool whole_numbers;    // it has Q/DQ
};

LQ_MUST_CHECK int lq_ort_file_read(struct lq_engine_model **model,
                                   const struct lq_engine_source *source, struct lq_error *err);
void lq_ort_file_forget(struct lq_engine_model *model); // NULL is fine

// What a session of one picture on the processor is told; its texts are the file's.
struct lq_ort_session_options lq_ort_file_session(const struct lq_ort_file *file);
