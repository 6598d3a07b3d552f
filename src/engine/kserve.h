// The KServe v2 inference protocol as Triton implements it over HTTP: JSON, followed by the
// tensors' raw bytes (the binary tensor extension). A server's response is untrusted: every offset
// and size is checked before use.
//
//   POST /v2/models/NAME/infer          Inference-Header-Content-Length: bytes of the JSON
//   {"id", "inputs": [{"name", "shape", "datatype", "parameters": {"binary_data_size"}}],
//    "outputs": [{"name", "parameters": {"binary_data": true}}]}   then the bytes of input 0, 1, …
//   The response has the same form: JSON with "outputs", each with "binary_data_size", then their
//   bytes in that order. With shared memory, the parameters name a region, an offset and a size,
//   and no bytes follow the JSON.
// Sources: kserve/docs predict-api v2; triton-inference-server docs/protocol, extensions
// binary_data and shared_memory. Tensors are little-endian, in row-major (C) order.
// Threads: any, no state.
#pragma once

#include "base/buf.h"
#include "engine/engine.h"

enum { LQ_KSERVE_JSON_MAX = 256 * 1024 }; // largest JSON accepted from a server

// Where tensors lie in a shared memory region: inputs first, then outputs.
struct lq_kserve_region {
    const char *name;
    size_t input_at[LQ_TENSORS_MAX], output_at[LQ_TENSORS_MAX];
};

// Reads a model's metadata (GET /v2/models/NAME). Dimensions may be -1; types that we do not
// support become LQ_TENSOR_OTHER.
LQ_MUST_CHECK int lq_kserve_read_model(struct lq_tensors *tensors, const void *json, size_t len,
                                       struct lq_error *err);

// Appends a parameter of a model's configuration (GET …/config) or metadata to `value`, either text
// or an object as JSON. Appends nothing if the parameter is missing.
LQ_MUST_CHECK int lq_kserve_read_parameter(struct lq_buf *value, const char *key,
                                           const void *json, size_t len, struct lq_error *err);

// The protocol's name of a tensor type: "FP32"; "" if it has none.
const char *lq_kserve_type(enum lq_tensor_type type);

// Writes the JSON of an inference request. region NULL: the inputs' bytes follow the JSON. The id
// is zero until lq_kserve_stamp.
LQ_MUST_CHECK int lq_kserve_print_request(struct lq_buf *json, const struct lq_tensors *tensors,
                                          const struct lq_kserve_region *region,
                                          struct lq_error *err);

// Sets the id of such a request, 16 hexadecimal digits; servers log it and return it.
void lq_kserve_stamp(struct lq_buf *json, uint64_t id);

// A server's response to an inference request.
struct lq_kserve_reply {
    const uint8_t *body;
    size_t len;    // of body, in bytes
    long json_len; // Inference-Header-Content-Length; -1: the header was missing
    uint64_t id;   // of the request; if the response has an id it must be this one; 0: any
};

// Reads a response. Every output of `tensors` must be present with the same type and shape; an
// output of rank 0 gets the response's shape. parts: array of LQ_TENSORS_MAX; parts[i] is set to
// the start of output i's bytes in the body. NULL: the outputs are in shared memory.
LQ_MUST_CHECK int lq_kserve_read_reply(struct lq_tensors *tensors,
                                       const struct lq_kserve_reply *reply, const uint8_t **parts,
                                       struct lq_error *err);

// Whether a server's metadata (GET /v2) announces the binary tensor extension.
bool lq_kserve_speaks_binary(const void *json, size_t len);

// Explains what a server without `model` offers, from its index (POST /v2/repository/index) or list
// (GET /v2/models): "it has no model 'x': there are a, b", or why the model is not ready. False:
// the document does not say.
bool lq_kserve_read_index(char *text, size_t size, const char *model, const char *version,
                          const void *json, size_t len);

// The server's own reason for a refusal, or "no reason given".
void lq_kserve_read_refusal(char *text, size_t size, const void *body, size_t len);

// Whether a name can be used in a path unescaped: not empty; only letters, digits, '_', '-' and
// '.'.
bool lq_kserve_name_is_plain(const char *name);
