// Checks whether one server is ready and has the model; if not, finds out what it offers instead.
// Threads: an asker belongs to one thread at a time. Owner: init/release by the caller.
#pragma once

#include "engine/http_client.h"

struct lq_triton_asker {
    struct lq_http *http;
    struct lq_buf reply;
    char instead[160];    // the server's list of models, kept for a while
    uint64_t asked_us;    // … and when it was read
};

LQ_MUST_CHECK int lq_triton_asker_init(struct lq_triton_asker *asker, struct lq_error *err);
void lq_triton_asker_release(struct lq_triton_asker *asker);

// LQ_OK: the server at `url` is ready and has the model (version "": any). NOT_FOUND: it is ready
// but does not offer the model. UNAVAILABLE or TIMEOUT: it does not respond.
LQ_MUST_CHECK int lq_triton_ask_ready(struct lq_triton_asker *asker, const char *url,
                                      const char *model, const char *version,
                                      struct lq_error *err);
