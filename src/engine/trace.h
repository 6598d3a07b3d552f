// Runs a model file once and shows every one of its outputs, however many: for comparing two files
// of the same network tensor by tensor. Slow on purpose: f32 arithmetic, nothing cached.
// Threads: any. Owner: what a row is shown belongs to the run and ends with the call.
#pragma once

#include "engine/engine.h"

// `inputs`: one for each of the model's, in its order, with type, rank, dims and data set.
// `row` is called once for each output, in the model's order. A type or rank that lq_tensor does not
// name is shown with data NULL.
LQ_MUST_CHECK int lq_trace_run(const char *path, const struct lq_tensor *inputs, int input_count,
                               void (*row)(void *context, int index,
                                           const struct lq_tensor *output),
                               void *context, struct lq_error *err);
