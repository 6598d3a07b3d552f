// The engines of this build, one const struct each at the foot of its file, and what they share.
// Threads: any; no state.
#pragma once

#include "engine/engine.h"

extern const struct lq_engine_ops lq_engine_onnxruntime;
extern const struct lq_engine_ops lq_engine_openvino;
extern const struct lq_engine_ops lq_engine_replay;
extern const struct lq_engine_ops lq_engine_triton;
