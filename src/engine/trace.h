// Runs a model file and shows every one of its outputs, however many: for comparing two files of
// the same network tensor by tensor, and for what quantisation must know of a network's numbers.
// Slow on purpose: f32 arithmetic, nothing cached.
// Threads: an opened one belongs to one thread at a time. Owner: open/close by the caller; what a
// row is shown belongs to the run and ends with the call.
#pragma once

#include "engine/engine.h"

struct lq_tracer;

typedef void lq_trace_row(void *context, int index, const struct lq_tensor *output);

LQ_MUST_CHECK int lq_tracer_open(struct lq_tracer **tracer, const char *path, struct lq_error *err);
void lq_tracer_close(struct lq_tracer *tracer); // NULL is fine

// `inputs`: one for each of the model's, in its order, with type, rank, dims and data set.
// `row` is called once for each output, in the model's order. A type or rank that lq_tensor does
// not name is shown with data NULL.
LQ_MUST_CHECK int lq_tracer_infer(struct lq_tracer *tracer, const struct lq_tensor *inputs,
                                 int input_count, lq_trace_row *row, void *context,
                                 struct lq_error *err);

// The three in one, for a file that is run once.
LQ_MUST_CHECK int lq_trace_run(const char *path, const struct lq_tensor *inputs, int input_count,
                               lq_trace_row *row, void *context, struct lq_error *err);
