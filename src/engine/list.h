// The engines of this build. Each is a const struct at the end of its source file.
// Threads: any; no state.
#pragma once

#include "engine/engine.h"

extern const struct lq_engine_ops lq_engine_onnxruntime;
extern const struct lq_engine_ops lq_engine_openvino;
extern const struct lq_engine_ops lq_engine_replay;
extern const struct lq_engine_ops lq_engine_triton;
