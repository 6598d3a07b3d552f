// The steps of an inference: triton_call.c implements them, triton_infer.c combines them.
// Threads and owner: as in triton_call.h.
#pragma once

#include "engine/kserve.h"
#include "engine/triton_call.h"

enum { LQ_TRITON_URL_MAX = LQ_REMOTE_URL_MAX + LQ_TENSOR_NAME_MAX + LQ_SHARED_NAME_MAX + 96 };

// Sends one request; its status must be 200. A refusal (4xx) is MODEL, a server error UNAVAILABLE.
LQ_MUST_CHECK int lq_triton_request(struct lq_triton_call *call, struct lq_http_call *http,
                                    size_t reply_max, struct lq_error *err);

// Updates the call to the server's current model; queries the server if it is not known.
LQ_MUST_CHECK int lq_triton_follow(struct lq_triton_call *call, struct lq_triton_server *server,
                                   uint64_t deadline_us, struct lq_error *err);
// Discards what is known of the server's model after a response that does not fit it (status: how),
// so that the next request queries the server again.
void lq_triton_forget(struct lq_triton_model *model, const struct lq_triton_server *server,
                      int status);

enum lq_triton_way lq_triton_way(struct lq_triton_model *model,
                                 const struct lq_triton_server *server);
void lq_triton_learn_way(struct lq_triton_model *model, const struct lq_triton_server *server,
                         enum lq_triton_way way);

size_t lq_triton_align(size_t size); // rounds up to a multiple of 64
// Returns the total size of all tensors, each at a multiple of 64; stores where each begins in the
// region.
size_t lq_triton_lay_out(const struct lq_tensors *wire, struct lq_kserve_region *region);

// Whether this request can use shared memory; creates and registers it if needed.
bool lq_triton_share_memory(struct lq_triton_call *call, struct lq_triton_server *server,
                            uint64_t deadline_us);
// Stops using the current object: servers that still know it cannot see later data.
void lq_triton_drop_memory(struct lq_triton_call *call);
