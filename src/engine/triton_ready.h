// Asks one server whether it is ready and has the model, and if not, what it has instead.
// Threads: an asker belongs to one thread at a time. Owner: init/release by the caller.
#pragma once

#include "engine/http_client.h"

struct lq_triton_asker {
    struct lq_http *http;
    struct lq_buf reply;
    char instead[160];    // what the server said of the models it has, for a while
    uint64_t asked_us;    // … when
};

LQ_MUST_CHECK int lq_triton_asker_init(struct lq_triton_asker *asker, struct lq_error *err);
void lq_triton_asker_release(struct lq_triton_asker *asker);

// LQ_OK when the server at `url` is ready and has the model (version "": any). NOT_FOUND when it is
// ready but does not offer the model, UNAVAILABLE or TIMEOUT when it cannot be asked.
LQ_MUST_CHECK int lq_triton_ask_ready(struct lq_triton_asker *asker, const char *url,
                                      const char *model, const char *version,
                                      struct lq_error *err);
