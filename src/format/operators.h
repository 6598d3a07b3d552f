// Which operators a model file holds, read from the file itself, since no engine's C interface
// lists them: of .onnx its nodes, of .tflite those of all its graphs (Model.operator_codes and
// SubGraph.operators, format/tflite.c).
// Threads: any. Owner: nothing is kept. Errors: a damaged file is MODEL, never a bad read.
#pragma once

#include "base/error.h"

// Calls row once for each kind, with how many there are, most frequent first.
LQ_MUST_CHECK int lq_operators_count(const char *path,
                                     void (*row)(void *context, const char *kind, int count),
                                     void *context, struct lq_error *err);
