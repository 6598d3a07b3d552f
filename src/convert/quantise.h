// Post-training quantisation of an ONNX model to int8: calibrates on pictures, and chooses ranges,
// and layers to leave in float, by measured error.
// Threads: one; the engine runs in it. Owner: the caller keeps the input.
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "convert/pictures.h"

struct lq_quantise_options {
    const char *const *keep; // names of layers to leave in float; for patterns see quantise_plan.h
    int keep_count;
    const char *folder;      // for files that the engine reads
    bool report;             // whether to make a report
    double float_max;        // share of the work that may be left in float (quantise_keep.h)
    // Measures the effect on painted nails, if that is possible: how far the masks of the model in
    // the file `path` agree with the float model's (1: identical; NaN: there is nothing to paint).
    // May be NULL.
    int (*painted)(void *context, const char *path, double *iou, struct lq_error *err);
    double iou_min;          // layers are moved to float until `painted` returns at least this …
    double own_max;          // … or, without a result, if their own noise is above this
    // Reports progress: step `done` of `of` of `what`. May be NULL.
    void (*step)(void *context, const char *what, int done, int of);
    void *context;           // for both functions
};

struct lq_quantise_summary {
    int layers, quantised;       // layers that could be quantised, and layers that are
    double float_share;          // share of multiplications in float
    double noise, noise_all;     // of the outputs; and with every layer quantised
    double iou;                  // result of `painted`; NaN: not measured
    const char *rule;            // the rule for choosing ranges
    bool corrected;              // whether biases were corrected
};

// The float model, an .onnx file in memory.
struct lq_float_model {
    const uint8_t *bytes;
    size_t len;
    const char *name; // name used in errors
};

// The result of quantisation.
struct lq_int8_model {
    struct lq_buf bytes; // an .onnx file; owned and initialised by the caller
    struct lq_quantise_summary summary;
    json_t *report;      // `--report` in docs/QUANTIZE.md; the caller releases it; NULL: none
};

// Checks whether there is something to quantise; if not, fails with MODEL and what to do. Runs
// nothing.
LQ_MUST_CHECK int lq_quantise_check(const struct lq_float_model *model, struct lq_error *err);

LQ_MUST_CHECK int lq_quantise(const struct lq_float_model *model,
                              const struct lq_quantise_options *options,
                              const struct lq_pictures *pictures, struct lq_int8_model *made,
                              struct lq_error *err);
