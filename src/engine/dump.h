// Runs a model file and passes all of its outputs to a callback: to compare two files of the same
// network tensor by tensor, and to collect the values that quantisation needs. Slow on purpose: f32
// arithmetic, no cache.
// Threads: a dumper belongs to one thread at a time. Owner: open/close by the caller; what the
// callback receives is valid only during the call.
#pragma once

#include "engine/engine.h"

struct lq_dumper;

typedef void lq_dump_row(void *context, int index, const struct lq_tensor *output);

LQ_MUST_CHECK int lq_dumper_open(struct lq_dumper **dumper, const char *path, struct lq_error *err);
void lq_dumper_close(struct lq_dumper *dumper); // dumper may be NULL

// `inputs`: one for each input of the model, in its order, with type, rank, dims and data set.
// `row` is called once for each output, in the model's order. An output whose type or rank
// lq_tensor cannot express is passed with data NULL.
LQ_MUST_CHECK int lq_dumper_infer(struct lq_dumper *dumper, const struct lq_tensor *inputs,
                                 int input_count, lq_dump_row *row, void *context,
                                 struct lq_error *err);

// Open, infer and close in one call, for a file that is run once.
LQ_MUST_CHECK int lq_dump_run(const char *path, const struct lq_tensor *inputs, int input_count,
                               lq_dump_row *row, void *context, struct lq_error *err);
