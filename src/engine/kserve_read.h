// What kserve.c, kserve_json.c and kserve_index.c share in reading a server's JSON.
// Threads: any, no state. Owner: a json_t is the caller's, json_decref it.
#pragma once

#include <jansson.h>

#include "engine/kserve.h"

// NULL when it is not JSON, too long, or neither an object nor an array.
json_t *lq_kserve_parse(const void *json, size_t len);

// ENGINE: "the server's answer is malformed: WHAT".
int lq_kserve_malformed(struct lq_error *err, const char *what);

// Name, type and shape; open dimensions are -1. NULL, or what is wrong with it.
const char *lq_kserve_read_tensor(struct lq_tensor *tensor, const json_t *from);

// The place of the output that `from` describes, which is then marked in `seen`, or -1 with the
// reason in err. What came is in *came.
int lq_kserve_find_output(const struct lq_tensors *tensors, const json_t *from, unsigned *seen,
                          struct lq_tensor *came, struct lq_error *err);

// Holds the shape that came against what is wanted, or learns it where that has rank 0.
LQ_MUST_CHECK int lq_kserve_check_shape(struct lq_tensor *wanted, const struct lq_tensor *came,
                                        struct lq_error *err);

// An answer must carry the request's `id` if it carries one at all; 0: any.
LQ_MUST_CHECK int lq_kserve_check_id(const json_t *root, uint64_t id, struct lq_error *err);
