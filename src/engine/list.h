// The engines of this build, one const struct each at the foot of its file, and what they share.
// No state. Any thread.
#pragma once

#include "engine/engine.h"

extern const struct lq_engine_ops lq_engine_onnxruntime;
extern const struct lq_engine_ops lq_engine_openvino;
extern const struct lq_engine_ops lq_engine_replay;
extern const struct lq_engine_ops lq_engine_triton;

// Counts the operators of an .onnx or .tflite file by reading the file itself (operators.c);
// the contract is that of lq_engine_ops.operators.
LQ_MUST_CHECK int lq_operators_count(const char *path,
                                     void (*row)(void *context, const char *kind, int count),
                                     void *context, struct lq_error *err);

// The schema's name of a TFLite operator, "builtin 999" for one that it does not name (then valid
// until this thread's next call; tflite_names.c).
const char *lq_tflite_builtin_name(int builtin);
