// The state of a quantisation, private to quantise.c and the files that implement its steps.
// Threads: the one that quantises. Owner: lq_quantise, during the call.
#pragma once

#include "convert/quantise.h"
#include "convert/quantise_write.h"
#include "convert/reference.h"

// Number of pictures on which errors are measured. The error of a single layer is measured on
// fewer: there are many layers, and each tensor has many numbers.
enum { LQ_QUANTISE_CHECKED = 8, LQ_QUANTISE_CHECKED_ALONE = 3 };

struct quantise_job {
    const char *name;
    const struct lq_quantise_options *options;
    struct lq_onnx tidy; // the float model
    struct lq_plan plan;
    struct lq_reference *reference; // its outputs
    struct lq_quantise_way way;     // the chosen one
    double tried[LQ_RANGE_RULES + 1]; // noise by rule; last: the best one without bias correction
    double noise, noise_all, iou;
    struct lq_buf *out;
};

// `made`: the quantised model. The outputs of its layers are compared with the float model's;
// neither model gets new outputs. *report is a new reference that the caller owns.
LQ_MUST_CHECK int lq_quantise_report(const struct quantise_job *job, const struct lq_onnx *made,
                                     const struct lq_pictures *pictures, json_t **report,
                                     struct lq_error *err);
