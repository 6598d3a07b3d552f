// One model on Triton and one request to it: what is sent, what is read, and the shared memory
// between us and a server on this host. Which server is asked is triton.c's business.
// Threads: a model is shared; a call belongs to one thread.
// Owner: init/release by the caller.
#pragma once

#include <pthread.h>

#include "engine/http_client.h"
#include "engine/shared_memory.h"
#include "engine/triton_pool.h"
#include "engine/u8.h"

// How tensors travel to a server: an input in f32, f16 or u8, an output in f32 or f16, by the
// server's names and in our order. Servers may differ, and one may come back with another model.
struct lq_triton_wire {
    struct lq_tensors tensors;
    unsigned version; // wires that are alike have the same; 0: not known
    unsigned epoch;   // the server's, when it was asked
};

// How a server is asked over HTTP. SAID: its own metadata names the binary tensor extension; the
// others are found out by asking.
enum lq_triton_way { LQ_TRITON_WAY_UNKNOWN, LQ_TRITON_WAY_SAID, LQ_TRITON_WAY_BINARY,
                     LQ_TRITON_WAY_ANSWERS_JSON, // it takes bytes and gives numbers
                     LQ_TRITON_WAY_JSON };

struct lq_triton_model {
    struct lq_triton_pool *pool;
    struct lq_tensors tensors; // as callers see them: f32; outputs of rank 0 are not known yet
    struct lq_u8_rule pixels;  // an input's numbers to bytes
    pthread_mutex_t lock;
    struct lq_triton_wire wires[LQ_REMOTE_URLS_MAX]; // by server
    unsigned versions;         // given to wires so far
    enum lq_triton_way ways[LQ_REMOTE_URLS_MAX]; // by server
};

struct lq_triton_call {
    struct lq_triton_model *model;
    struct lq_http *http;
    struct lq_tensors *tensors; // the caller's memory; outputs without memory are not copied
    struct lq_buf reply, json, memory_json, converted;
    struct lq_buf text, rest, numbers; // of servers that speak JSON alone
    struct lq_tensors wire;     // the last server's, as of wire_version
    unsigned wire_version;
    struct lq_shared_memory memory;
    bool memory_failed;         // there is none on this host
    // By server: its epoch + 1 when it knows `memory`, and an object it should forget.
    unsigned registered[LQ_REMOTE_URLS_MAX];
    char stale[LQ_REMOTE_URLS_MAX][LQ_SHARED_NAME_MAX];
};

LQ_MUST_CHECK int lq_triton_call_init(struct lq_triton_call *call, struct lq_triton_model *model,
                                      struct lq_tensors *tensors, struct lq_error *err);
void lq_triton_call_release(struct lq_triton_call *call); // half-built or zeroed is fine

// A tensor with another's shape, and with a batch of one in front where the server has none.
struct lq_tensor lq_triton_with_batch(const struct lq_tensor *named, const struct lq_tensor *shape,
                                      bool unbatched);

// What an inference has told about the outputs' shapes becomes the model's. Before it is shared.
void lq_triton_keep_shapes(const struct lq_triton_call *call);

// Gets a document below the model's address; its status must be 200.
LQ_MUST_CHECK int lq_triton_get(struct lq_triton_call *call, struct lq_triton_server *server,
                                const char *tail, uint64_t deadline_us, struct lq_error *err);

// Runs the model on one server. Every failure is the server's.
LQ_MUST_CHECK int lq_triton_infer(struct lq_triton_call *call, struct lq_triton_server *server,
                                  uint64_t deadline_us, struct lq_error *err);
