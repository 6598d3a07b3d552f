// Memory of a request's tensors, for engines whose runtime brings none.
// Threads: any, on separate tensors. Owner: alloc/free by the engine, for the request.
#pragma once

#include "engine/engine.h"

// Gives every input and output zeroed memory of its size. On failure none has any: MEMORY, or MODEL
// where a tensor's size is open.
LQ_MUST_CHECK int lq_tensors_alloc(struct lq_tensors *tensors, struct lq_error *err);
void lq_tensors_free(struct lq_tensors *tensors);
