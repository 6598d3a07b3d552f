// Functions for reading a server's JSON, shared by kserve.c, kserve_json.c and kserve_index.c.
// Threads: any, no state. Owner: the caller owns a returned json_t and calls json_decref.
#pragma once

#include <jansson.h>

#include "engine/kserve.h"

// Returns NULL if the text is not JSON, is too long, or is neither an object nor an array.
json_t *lq_kserve_parse(const void *json, size_t len);

// Fails with ENGINE: "the server's response is malformed: WHAT".
int lq_kserve_malformed(struct lq_error *err, const char *what);

// Reads name, type and shape; open dimensions are -1. Returns NULL, or what is wrong.
const char *lq_kserve_read_tensor(struct lq_tensor *tensor, const json_t *from);

// Finds the output that `from` describes, marks it in `seen` and stores the description in
// *received. Returns its index, or -1 with the reason in err.
int lq_kserve_find_output(const struct lq_tensors *tensors, const json_t *from, unsigned *seen,
                          struct lq_tensor *received, struct lq_error *err);

// Compares the received shape with the wanted one, or adopts it if `wanted` has rank 0.
LQ_MUST_CHECK int lq_kserve_check_shape(struct lq_tensor *wanted,
                                        const struct lq_tensor *received, struct lq_error *err);

// If the response has an id, it must equal `id`; 0: any.
LQ_MUST_CHECK int lq_kserve_check_id(const json_t *root, uint64_t id, struct lq_error *err);
