// A float model's outputs for some pictures, and how far another model's outputs are from them.
// Threads: one owner. Owner: open/close by the caller; pictures and folder must outlive it.
#pragma once

#include "format/onnx.h"
#include "convert/pictures.h"

struct lq_reference;

struct lq_output_error {
    double noise;   // mean square of what differs by channel, relative to the channel's variance
    double max_abs;
};

// Runs the model for at most `count` pictures, spread evenly over those that have the size of the
// first, and keeps its outputs. Close *reference even if this fails.
LQ_MUST_CHECK int lq_reference_open(struct lq_reference **reference, const struct lq_onnx *onnx,
                                    const struct lq_pictures *pictures, int count,
                                    const char *folder, struct lq_error *err);
void lq_reference_close(struct lq_reference *reference); // reference may be NULL

// On `count` of the pictures at most. *noise: the outputs' mean; 0: equal; infinite: not to be
// told. `onnx` has the same outputs in the same order, and may have more behind them. `errors`: one
// for each output; may be NULL.
LQ_MUST_CHECK int lq_reference_compare(struct lq_reference *reference, const struct lq_onnx *onnx,
                                       int count, struct lq_output_error *errors, double *noise,
                                       struct lq_error *err);

int lq_reference_outputs(const struct lq_reference *reference);
const char *lq_reference_name(const struct lq_reference *reference, int output);
