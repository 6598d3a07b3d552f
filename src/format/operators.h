// Lists the operators in a model file. They are read from the file itself, because no engine's C
// interface lists them: for .onnx the nodes, for .tflite the operators of all graphs
// (Model.operator_codes and SubGraph.operators, format/tflite.c).
// Threads: any. Owner: nothing is kept. Errors: a damaged file fails with MODEL and is never read
// out of bounds.
#pragma once

#include "base/error.h"

// Calls row once per kind of operator, with its count, most frequent first.
LQ_MUST_CHECK int lq_operators_count(const char *path,
                                     void (*row)(void *context, const char *kind, int count),
                                     void *context, struct lq_error *err);
