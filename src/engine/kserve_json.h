// Tensors as JSON numbers, for KServe v2 servers without the binary tensor extension (MLServer,
// older KServe runtimes):
//
//   {"id", "inputs": [{"name", "shape", "datatype", "data": [0.5, 0.25, …]}],
//    "outputs": [{"name"}]}
//   {"id", "outputs": [{"name", "shape", "datatype", "data": [[…], …]}]}     flat or nested
//
// The numbers of a response are extracted from the text in one pass; jansson parses the rest, which
// is as small as the head of a binary response.
// Threads: any, no state.
#pragma once

#include "engine/kserve.h"

// Appends a request. data[i] holds input i's elements in its type: F32 or U8.
LQ_MUST_CHECK int lq_kserve_print_json(struct lq_buf *json, const struct lq_tensors *tensors,
                                       const void *const data[LQ_TENSORS_MAX], uint64_t id,
                                       struct lq_error *err);

// Reads a response as lq_kserve_read_reply does. parts[i] is set to output i's elements in
// `numbers`, as floats whatever type the server sends. `head` is scratch. The whole body is JSON:
// json_len is ignored.
LQ_MUST_CHECK int lq_kserve_read_json(struct lq_tensors *tensors,
                                      const struct lq_kserve_reply *reply, struct lq_buf *head,
                                      struct lq_buf *numbers,
                                      const float *parts[LQ_TENSORS_MAX], struct lq_error *err);
