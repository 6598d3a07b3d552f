// Networks that run outside: an engine whose inference is done by the embedding program (device.h).
// Threads: as for struct lq_mirror. Owner: lq_model_close releases the model.
#pragma once

#include "device/device.h"
#include "model/model.h"

enum lq_mirror_network { LQ_MIRROR_NAILS, LQ_MIRROR_HAND };

// Defined by the embedding program: runs a network on `input` and fills `outputs`, in the file's
// order. NAILS: input [1,3,height,width], RGB 0..1; output [1,1,height/2,width/2], 0..1. HAND: as
// described in model/landmarks.h, its first three outputs. Returns 0 or a negative enum lq_status.
int lq_mirror_run(int network, const float *input, int width, int height, float *const outputs[3]);

extern const struct lq_engine_ops lq_engine_device;

LQ_MUST_CHECK int lq_mirror_model_open(struct lq_model **model,
                                       const struct lq_mirror_networks *networks,
                                       struct lq_error *err);
