// Which nodes of a tidy ONNX model can be quantised, and which tensors are rounded for them.
// Threads: one owner. Owner: init/release by the caller; names are the plan's own.
//
// A layer is a Conv, ConvTranspose, Gemm or MatMul with constant weights. Its input comes from one
// or more sources: what lies between (Concat, MaxPool, Reshape, a nearest Resize, …) only moves
// numbers, and so a source is rounded once, where it is made, and all of one layer's sources share
// a scale. Engines then keep the moving operators in eight bits.
#pragma once

#include "convert/histogram.h"
#include "format/onnx.h"

struct lq_layer {
    char *name;       // of what it makes
    char *input;      // of what it takes
    char *weight;     // constant
    const char *op;   // one of the four
    int axis;         // of its weights: output channels
    int64_t groups;   // of a Conv
    int *sources;     // numbers among the plan's
    int source_count;
    double macs;      // multiplications for a picture; 0: not known yet
    double taken, made; // numbers of its input and output for a picture
    double *means;    // of the input, by channel
    uint64_t mean_items; // numbers in each of these
    int channels;        // of the input; 0: not seen yet
    bool named;       // --keep named it: it stays in float
    bool quantised;   // … and the others, as they are tried
    double own;       // noise of what it makes when its input is exact; NaN: not measured
    double alone;     // noise of the outputs when nothing else is quantised; NaN: not measured
};

struct lq_source {
    char *name;
    struct lq_range_histogram histogram;
    bool seen; // its numbers came as float32
};

struct lq_plan {
    int layer_count, source_count;
    struct lq_layer *layers;
    struct lq_source *sources;
};

// MODEL: nothing to quantise. All layers are `quantised` at first.
LQ_MUST_CHECK int lq_plan_init(struct lq_plan *plan, const struct lq_onnx *onnx, const char *name,
                               struct lq_error *err);
void lq_plan_release(struct lq_plan *plan);

// Layers whose name, or that of their node, is `text` or begins with it (then `text` ends with `*`)
// stay in float. Returns how many.
int lq_plan_keep(struct lq_plan *plan, const struct lq_onnx *onnx, const char *text);

// Whether the node only moves numbers: *first to *first + *count - 1 of its inputs are those.
bool lq_plan_moves(const Onnx__NodeProto *node, size_t *first, size_t *count);
