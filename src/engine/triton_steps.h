// The steps of an inference that triton_call.c makes and triton_infer.c puts together.
// Threads and owner: as in triton_call.h.
#pragma once

#include "engine/kserve.h"
#include "engine/triton_call.h"

enum { LQ_TRITON_URL_MAX = LQ_REMOTE_URL_MAX + LQ_TENSOR_NAME_MAX + LQ_SHARED_NAME_MAX + 96 };

// One request; its status must be 200. A server's refusal (4xx) is MODEL, its trouble UNAVAILABLE.
LQ_MUST_CHECK int lq_triton_ask(struct lq_triton_call *call, struct lq_http_call *http,
                                size_t reply_max, struct lq_error *err);

// Brings the call up to what is known of the server's model, which is asked for where it is not.
LQ_MUST_CHECK int lq_triton_follow(struct lq_triton_call *call, struct lq_triton_server *server,
                                   uint64_t deadline_us, struct lq_error *err);
// What came does not fit what we know (status: how): ask again before the next request.
void lq_triton_forget(struct lq_triton_model *model, const struct lq_triton_server *server,
                      int status);

enum lq_triton_way lq_triton_way(struct lq_triton_model *model,
                                 const struct lq_triton_server *server);
void lq_triton_learn_way(struct lq_triton_model *model, const struct lq_triton_server *server,
                         enum lq_triton_way way);

size_t lq_triton_align(size_t size); // up to a multiple of 64
// Bytes of all tensors, each at a multiple of 64; where each begins goes to the region.
size_t lq_triton_lay_out(const struct lq_tensors *wire, struct lq_kserve_region *region);

// Whether this request can go by shared memory; makes and registers it where it is not yet.
bool lq_triton_share_memory(struct lq_triton_call *call, struct lq_triton_server *server,
                            uint64_t deadline_us);
// Nobody who still knows the object can reach what is shared from now on.
void lq_triton_drop_memory(struct lq_triton_call *call);
