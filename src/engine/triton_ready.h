// Checks whether one server is ready and has the model; if not, finds out what it offers instead.
// Threads: a probe belongs to one thread at a time. Owner: init/release by the caller.
#pragma once

#include "engine/http_client.h"

struct lq_triton_probe {
    struct lq_http *http;
    struct lq_buf reply;
    char instead[160];    // the server's list of models, kept for a while
    uint64_t listed_us;   // … and when it was read
};

LQ_MUST_CHECK int lq_triton_probe_init(struct lq_triton_probe *probe, struct lq_error *err);
void lq_triton_probe_release(struct lq_triton_probe *probe);

// LQ_OK: the server at `url` is ready and has the model (version "": any). NOT_FOUND: it is ready
// but does not offer the model. UNAVAILABLE or TIMEOUT: it does not respond.
LQ_MUST_CHECK int lq_triton_probe_ready(struct lq_triton_probe *probe, const char *url,
                                        const char *model, const char *version,
                                        struct lq_error *err);
