// Converts a TensorFlow Lite model to an ONNX model of opset 17.
// Threads: any; nothing is shared. Owner: the caller owns input and output.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_convert_options {
    const char *name;    // of the network in the result; NULL: "network"
    bool fp16;           // weights as float16, with a Cast before their use
    bool channels_first; // picture inputs and outputs as NCHW: avoids a Transpose at the inputs and
                         // outputs too
    // Only for the sidecar of an int8 model: the file of the float model beside it. NULL: not
    // known.
    const char *float_model;
    bool real_edges;     // inputs and outputs in float32 even if they are quantised in the source
    // For comparison: tensors that the source and the result share become outputs of the result. Of
    // all such tensors, those numbered expose_from to expose_from + expose_count - 1 are used.
    int expose_from, expose_count;
    struct lq_convert_exposed *exposed; // NULL: none
};

// Where a tensor of the source is found in the result.
struct lq_convert_point {
    const char *name; // in the source's bytes
    int tensor;       // number in the source
    int output;       // number among the outputs of the result
    int rank;
    uint8_t axis[8];  // which of the source's axes stands at each position in the result
    // If the result holds quantised numbers: real value = (number - zero) * scale.
    bool quantised;
    double scale, zero;
};

struct lq_convert_exposed {
    int total; // number of tensors that could be shown
    int count; // number of points
    struct lq_convert_point *points; // the caller frees it
};

struct lq_convert_summary {
    int operators;   // in the source
    int nodes;       // in the result
    int transposes;  // in the result
    int transposes_inner; // of those, between two convolutions; those of attention are not counted
    size_t bytes;    // of the result
};

LQ_MUST_CHECK int lq_convert(const uint8_t *data, size_t len,
                             const struct lq_convert_options *options, struct lq_buf *out,
                             struct lq_convert_summary *summary, struct lq_error *err);
