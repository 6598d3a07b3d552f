// A float model's outputs for some pictures; measures how far another model's outputs are from
// them.
// Threads: one owner. Owner: open/close by the caller; pictures and folder must outlive it.
#pragma once

#include "format/onnx.h"
#include "convert/pictures.h"

struct lq_reference;

struct lq_output_error {
    double noise;   // as in noise.h
    double max_abs;
};

// Runs the model for at most `count` pictures, spread evenly over those that have the size of the
// first, and keeps its outputs. Close *reference even if this fails.
LQ_MUST_CHECK int lq_reference_open(struct lq_reference **reference, const struct lq_onnx *onnx,
                                    const struct lq_pictures *pictures, int count,
                                    const char *folder, struct lq_error *err);
void lq_reference_close(struct lq_reference *reference); // reference may be NULL

// Compares on at most `count` pictures. *noise: mean over the outputs; 0: equal; infinite: cannot
// be computed. `onnx` has the same outputs in the same order, and may have more after them.
// `errors`: one per output; may be NULL.
LQ_MUST_CHECK int lq_reference_compare(const struct lq_reference *reference,
                                       const struct lq_onnx *onnx, int count,
                                       struct lq_output_error *errors, double *noise,
                                       struct lq_error *err);

// Receives output number `index` of another model for a picture. `picture` is its index among those
// that were run.
typedef void lq_reference_row(void *context, int picture, int index,
                              const struct lq_tensor *output);

// Runs `onnx` on at most `count` of the pictures and passes each of its outputs to `row`. An output
// stays valid until the last call of `row` for the same picture.
LQ_MUST_CHECK int lq_reference_run(const struct lq_reference *reference, const struct lq_onnx *onnx,
                                   int count, lq_reference_row *row, void *context,
                                   struct lq_error *err);

int lq_reference_outputs(const struct lq_reference *reference);
const char *lq_reference_name(const struct lq_reference *reference, int output);
