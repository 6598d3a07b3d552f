// The KServe v2 inference protocol as Triton speaks it over HTTP: JSON, followed by the tensors'
// raw bytes (the binary tensor extension). What comes from a server is foreign: every offset and
// size is checked before it is used.
//
//   POST /v2/models/NAME/infer          Inference-Header-Content-Length: bytes of the JSON
//   {"id", "inputs": [{"name", "shape", "datatype", "parameters": {"binary_data_size"}}],
//    "outputs": [{"name", "parameters": {"binary_data": true}}]}    then input 0's bytes, input 1's
// …
//   the answer is the same: JSON with "outputs", each with its "binary_data_size", then their bytes
//   in that order. With shared memory the parameters name a region, an offset and a size instead,
//   and nothing follows the JSON.
// Sources: kserve/docs predict-api v2; triton-inference-server docs/protocol, extensions
// binary_data and shared_memory. Tensors are little-endian, rows last (C order).
// Threads: any, no state.
#pragma once

#include "base/buf.h"
#include "engine/engine.h"

enum { LQ_KSERVE_JSON_MAX = 256 * 1024 }; // largest JSON that is read from a server

// Where tensors lie in a shared memory region: inputs and outputs in turn.
struct lq_kserve_region {
    const char *name;
    size_t input_at[LQ_TENSORS_MAX], output_at[LQ_TENSORS_MAX];
};

// A model's metadata (GET /v2/models/NAME). Dimensions may be -1; types that no tensor of ours
// has are LQ_TENSOR_OTHER.
LQ_MUST_CHECK int lq_kserve_read_model(struct lq_tensors *tensors, const void *json, size_t len,
                                       struct lq_error *err);

// A parameter of a model's configuration (GET …/config) or metadata is appended to `value`, a text
// or an object as JSON; nothing when it is not there.
LQ_MUST_CHECK int lq_kserve_read_parameter(struct lq_buf *value, const char *key,
                                           const void *json, size_t len, struct lq_error *err);

// What the protocol calls a type of tensor: "FP32"; "" for one that it has not.
const char *lq_kserve_type(enum lq_tensor_type type);

// The JSON of an inference request; region NULL: the inputs' bytes will follow it. Its id is zero
// until lq_kserve_stamp.
LQ_MUST_CHECK int lq_kserve_print_request(struct lq_buf *json, const struct lq_tensors *tensors,
                                          const struct lq_kserve_region *region,
                                          struct lq_error *err);

// Gives such a request its id, 16 hexadecimal digits: servers log it and answer with it.
void lq_kserve_stamp(struct lq_buf *json, uint64_t id);

// A server's response to an inference request.
struct lq_kserve_reply {
    const uint8_t *body;
    size_t len;    // bytes of it
    long json_len; // Inference-Header-Content-Length; -1: it came without
    uint64_t id;   // the request's: a response that carries an id must carry this one; 0: any
};

// Reads a response. Each output must be there with the type and the shape it has in `tensors`; one
// whose rank is 0 there gets the response's shape. parts, LQ_TENSORS_MAX of them: parts[i] becomes
// where output i's bytes begin in the body; NULL: the outputs are in shared memory.
LQ_MUST_CHECK int lq_kserve_read_reply(struct lq_tensors *tensors,
                                       const struct lq_kserve_reply *reply, const uint8_t **parts,
                                       struct lq_error *err);

// Whether a server's own metadata (GET /v2) says that it speaks the binary tensor extension.
bool lq_kserve_speaks_binary(const void *json, size_t len);

// What a server that does not offer `model` has instead, from its index (POST
// /v2/repository/index) or list (GET /v2/models): "it has no model 'x': there are a, b", or why
// the model is not ready. False: the document says nothing.
bool lq_kserve_read_index(char *text, size_t size, const char *model, const char *version,
                          const void *json, size_t len);

// The server's own words about what it refused, or "nothing more was said".
void lq_kserve_read_refusal(char *text, size_t size, const void *body, size_t len);

// Whether a name can stand in a path as it is: letters, digits, '_', '-', '.', not empty.
bool lq_kserve_name_is_plain(const char *name);
