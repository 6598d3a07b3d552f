// A TensorFlow Lite model made into an ONNX model of opset 17.
// Threads: any; nothing is shared. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_convert_options {
    bool fp16;           // weights as float16, with a Cast before their use
    bool channels_first; // picture inputs and outputs as NCHW: no Transpose even at the edges
    bool trace;          // every tensor that both models have becomes an output (trace.c)
};

struct lq_convert_summary {
    int operators;   // of the source
    int nodes;       // of the result
    int transposes;  // of the result
    int transposes_inner; // of those, between one convolution and another
};

// `name` is what the network is called in the result.
LQ_MUST_CHECK int lq_convert(const uint8_t *data, size_t len, const char *name,
                             const struct lq_convert_options *options, struct lq_buf *out,
                             struct lq_convert_summary *summary, struct lq_error *err);
