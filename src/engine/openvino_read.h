// Reads a model file with OpenVINO, after changing what OpenVINO would misread.
// Threads: any, once the library is loaded. Owner: the caller owns the model.
#pragma once

#include "engine/openvino_load.h"

ov_status_e lq_openvino_read(const char *path, ov_model_t **model);
