// Post-training quantisation of an ONNX model to int8: calibrated on pictures, ranges chosen and
// layers left in float by the error that is measured.
// Threads: one; the engine runs within. Owner: what goes in stays the caller's.
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "convert/pictures.h"

struct lq_quantise_options {
    const char *const *keep; // names of layers that stay in float; quantise_plan.h has the pattern
    int keep_count;
    const char *folder;      // for files that the engine reads
    bool report;             // make one
    double float_max;        // share of the work that may be left in float (quantise_keep.h)
    // What is painted, if that can be told: how far the masks of the model in the file `path` agree
    // with the float model's (1: the same; NaN: there is nothing to paint). May be NULL.
    int (*painted)(void *context, const char *path, double *iou, struct lq_error *err);
    double iou_min;          // layers stay in float until `painted` says at least this …
    double own_max;          // … or, where it says nothing, if their own noise is more than this
    // `what` is being done, `done` of `of`; may be NULL.
    void (*step)(void *context, const char *what, int done, int of);
    void *context;           // of both
};

struct lq_quantise_summary {
    int layers, quantised;       // that could be, and that are
    double float_share;          // multiplications in float
    double noise, noise_all;     // of the outputs; and with every layer quantised
    double iou;                  // what is painted; NaN: not told
    const char *rule;            // how ranges were chosen
    bool corrected;              // biases
};

// The float model, an .onnx file in memory.
struct lq_float_model {
    const uint8_t *bytes;
    size_t len;
    const char *name; // what errors call it
};

// What quantising made of it.
struct lq_int8_model {
    struct lq_buf bytes; // an .onnx file; the caller's, initialised
    struct lq_quantise_summary summary;
    json_t *report;      // `--report` in docs/QUANTIZE.md; the caller's to release; NULL: none
};

// Whether there is something to quantise: MODEL, with what to do, when there is not. Runs nothing.
LQ_MUST_CHECK int lq_quantise_check(const struct lq_float_model *model, struct lq_error *err);

LQ_MUST_CHECK int lq_quantise(const struct lq_float_model *model,
                              const struct lq_quantise_options *options,
                              const struct lq_pictures *pictures, struct lq_int8_model *made,
                              struct lq_error *err);
