// Which nodes of a tidy ONNX model can be quantised, and which tensors are rounded for them.
// Threads: one owner. Owner: init/release by the caller; the plan owns its names.
//
// A layer is a Conv, ConvTranspose, Gemm or MatMul with constant weights. Its input comes from one
// or more sources. The nodes in between (Concat, MaxPool, Reshape, a nearest Resize, …) only move
// numbers, so a source is rounded once, where it is computed, and all sources of one layer share a
// scale. Engines can then run the moving operators in eight bits.
#pragma once

#include "convert/histogram.h"
#include "format/onnx.h"

struct lq_layer {
    char *name;       // of its output
    char *input;      // of its input
    char *weight;     // of its weights, a constant
    const char *op;   // one of the four operators
    int axis;         // of the weights: output channels
    int64_t groups;   // of a Conv
    int *sources;     // indices into the plan's sources
    int source_count;
    double macs;      // multiplications per picture; 0: not known yet
    double taken, made; // count of numbers in its input and in its output, per picture
    double *means;    // of the input, per channel
    uint64_t mean_items; // number of values in each mean
    int channels;        // of the input; 0: not known yet
    bool named;       // named by --keep: it stays in float
    bool quantised;   // for the others: the current choice
    double own;       // noise of its own output if its input is exact; NaN: not measured
    double alone;     // noise of the model's outputs if only this layer is quantised; NaN: not
                      // measured
};

struct lq_source {
    char *name;
    struct lq_range_histogram histogram;
    bool seen; // its values were available as float32
};

struct lq_plan {
    int layer_count, source_count;
    struct lq_layer *layers;
    struct lq_source *sources;
};

// MODEL: there is nothing to quantise. Initially all layers are `quantised`.
LQ_MUST_CHECK int lq_plan_init(struct lq_plan *plan, const struct lq_onnx *onnx, const char *name,
                               struct lq_error *err);
void lq_plan_release(struct lq_plan *plan);

// Leaves layers in float whose name, or whose node's name, equals `text`, or begins with it if
// `text` ends with `*`. Returns their number.
int lq_plan_keep(struct lq_plan *plan, const struct lq_onnx *onnx, const char *text);

// Whether the node only moves numbers: those of its inputs *first to *first + *count - 1.
bool lq_plan_moves(const Onnx__NodeProto *node, size_t *first, size_t *count);
