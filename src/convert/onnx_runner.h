// Runs an ONNX model in memory for inputs of a few sizes; it is compiled once per size.
// Threads: one owner. Owner: init/release by the caller; the model must outlive the runner.
#pragma once

#include "format/onnx.h"
#include "engine/dump.h"

enum { LQ_RUNNER_SIZES_MAX = 4 };

struct lq_onnx_runner {
    const struct lq_onnx *onnx;
    const char *folder; // for files that the engine reads; they are deleted immediately
    int count;
    struct lq_sized {
        int64_t dims[LQ_TENSOR_RANK_MAX];
        int rank;
        struct lq_dumper *dumper;
    } sizes[LQ_RUNNER_SIZES_MAX];
};

void lq_onnx_runner_init(struct lq_onnx_runner *runner, const struct lq_onnx *onnx,
                         const char *folder);
void lq_onnx_runner_release(struct lq_onnx_runner *runner);

// Passes every output to `row`. If `input` has a new size, the model is compiled for it first.
LQ_MUST_CHECK int lq_onnx_runner_run(struct lq_onnx_runner *runner, const struct lq_tensor *input,
                                     lq_dump_row *row, void *context, struct lq_error *err);
