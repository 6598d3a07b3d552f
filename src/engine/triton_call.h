// One model on Triton and one request to it: what is sent, what is read, and the memory shared with
// a server on this host. triton.c chooses the server.
// Threads: a model is shared; a call belongs to one thread.
// Owner: init/release by the caller.
#pragma once

#include <pthread.h>

#include "engine/http_client.h"
#include "engine/shared_memory.h"
#include "engine/triton_pool.h"
#include "engine/u8.h"

// How tensors are sent to and read from a server: inputs as f32, f16 or u8, outputs as f32 or f16,
// with the server's names and in our order. Servers may differ, and a restarted server may have a
// different model.
struct lq_triton_wire {
    struct lq_tensors tensors;
    unsigned version; // equal for identical wires; 0: not known
    unsigned epoch;   // the server's epoch at the time of the query
};

// How to send requests over HTTP. ANNOUNCED: the server's metadata announces the binary tensor
// extension. The others are found out by trying.
enum lq_triton_way { LQ_TRITON_WAY_UNKNOWN, LQ_TRITON_WAY_ANNOUNCED, LQ_TRITON_WAY_BINARY,
                     LQ_TRITON_WAY_JSON_RESPONSE, // accepts bytes, responds with JSON
                     LQ_TRITON_WAY_JSON };

struct lq_triton_model {
    struct lq_triton_pool *pool;
    struct lq_tensors tensors; // as callers see them: f32; outputs of rank 0 are not known yet
    struct lq_u8_rule pixels;  // converts an input's numbers to bytes
    pthread_mutex_t lock;
    struct lq_triton_wire wires[LQ_REMOTE_URLS_MAX]; // by server
    unsigned versions;         // number of versions given to wires so far
    enum lq_triton_way ways[LQ_REMOTE_URLS_MAX]; // by server
};

struct lq_triton_call {
    struct lq_triton_model *model;
    struct lq_http *http;
    struct lq_tensors *tensors; // the caller's memory; outputs without memory are not copied
    struct lq_buf reply, json, memory_json, converted;
    struct lq_buf text, rest, numbers; // for servers that only support JSON
    struct lq_tensors wire;     // the last server's, of version wire_version
    unsigned wire_version;
    struct lq_shared_memory memory;
    bool memory_failed;         // shared memory does not work on this host
    // For each server: its epoch + 1 if it has registered `memory`, and an object it should
    // unregister.
    unsigned registered[LQ_REMOTE_URLS_MAX];
    char stale[LQ_REMOTE_URLS_MAX][LQ_SHARED_NAME_MAX];
};

LQ_MUST_CHECK int lq_triton_call_init(struct lq_triton_call *call, struct lq_triton_model *model,
                                      struct lq_tensors *tensors, struct lq_error *err);
void lq_triton_call_release(struct lq_triton_call *call); // may be half-built or zeroed

// A tensor named like one and shaped like the other, with a batch dimension of 1 added in front if
// the server has none.
struct lq_tensor lq_triton_with_batch(const struct lq_tensor *named, const struct lq_tensor *shape,
                                      bool unbatched);

// Copies the output shapes found by an inference to the model. Call it before the model is shared.
void lq_triton_keep_shapes(const struct lq_triton_call *call);

// Fetches a document below the model's address; its status must be 200.
LQ_MUST_CHECK int lq_triton_get(struct lq_triton_call *call, struct lq_triton_server *server,
                                const char *tail, uint64_t deadline_us, struct lq_error *err);

// Runs the model on one server. Every failure counts against the server.
LQ_MUST_CHECK int lq_triton_infer(struct lq_triton_call *call, struct lq_triton_server *server,
                                  uint64_t deadline_us, struct lq_error *err);
