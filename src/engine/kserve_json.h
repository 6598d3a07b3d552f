// Tensors as numbers in JSON, for servers of the KServe v2 protocol that do not speak the binary
// tensor extension (MLServer, older KServe runtimes):
//
//   {"id", "inputs": [{"name", "shape", "datatype", "data": [0.5, 0.25, …]}], "outputs":
// [{"name"}]}
//   {"id", "outputs": [{"name", "shape", "datatype", "data": [[…], …]}]}     flat or nested
//
// An answer's numbers are taken out of the text in one pass; jansson sees what is left, which is as
// small as a binary answer's head.
// Threads: any, no state.
#pragma once

#include "engine/kserve.h"

// Appends a request. data[i] holds input i's elements in its type: F32, or U8.
LQ_MUST_CHECK int lq_kserve_print_json(struct lq_buf *json, const struct lq_tensors *tensors,
                                       const void *const data[LQ_TENSORS_MAX], uint64_t id,
                                       struct lq_error *err);

// Reads a response as lq_kserve_read_reply does: parts[i] points to output i's elements, as floats
// whatever type the server gives them, in `numbers`. `head` is scratch. All of the body is JSON:
// json_len is not looked at.
LQ_MUST_CHECK int lq_kserve_read_json(struct lq_tensors *tensors,
                                      const struct lq_kserve_reply *reply, struct lq_buf *head,
                                      struct lq_buf *numbers,
                                      const float *parts[LQ_TENSORS_MAX], struct lq_error *err);
