// Runs a model once on an empty picture: a model that an engine compiled may still crash when it
// runs.
// Threads and owner: the caller's model, used by one thread.
#pragma once

#include "model/model.h"

// Runs a grey picture of each of the model's sizes through the network.
LQ_MUST_CHECK int lq_model_try(struct lq_model *model, struct lq_error *err);
