// A model's file read by OpenVINO, with what it would misread changed before.
// Threads: any, once the library is loaded. Owner: the model is the caller's.
#pragma once

#include "engine/openvino_load.h"

ov_status_e lq_openvino_read(const char *path, ov_model_t **model);
