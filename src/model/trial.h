// A model run once on nothing: what an engine compiles may still end it when it runs.
// Threads and owner: the caller's model, by one thread.
#pragma once

#include "model/model.h"

// A grey picture of each of the model's sizes through the network.
LQ_MUST_CHECK int lq_model_try(struct lq_model *model, struct lq_error *err);
