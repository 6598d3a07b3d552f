// The live server: what `lacquer serve` runs. docs/PROTOCOL.md is its contract with clients.
// Threads: lq_serve takes over the calling thread (one event loop) and starts the workers.
// Owner: the caller owns the options and the model until lq_serve returns.
#pragma once

#include "paint/catalogue.h"
#include "model/model.h"

enum { LQ_ALLOW_ORIGINS_MAX = 16 };

struct lq_serve_options {
    const char *host;          // address to listen on; "0.0.0.0" or "::" is every one
    int port;                  // 0: any free one
    int workers;               // frames worked on at once
    int jpeg_quality;          // of replies unless a client asks otherwise
    int sessions_max;
    int drain_delay_s;         // after SIGTERM, before users are sent away
    int wait_ms_max;           // a new live session is refused when its frames would wait longer
    int max_age_ms;            // of a live frame: then nobody waits for its answer any more
    const char *tls_cert, *tls_key; // PEM files, or both NULL
    bool tls_self_signed;
    const char *web_dir;       // serve the page from here; NULL: the built-in one
    const char *allow_origins[LQ_ALLOW_ORIGINS_MAX]; // besides the server's own; "*" is any
    int allow_origin_count;
    const struct lq_catalogue *catalogue; // of looks; outlives the server
};

// Blocks SIGINT and SIGTERM for this thread and those it starts, so that the server can drain on
// them. Call before threads are started (before the model is opened).
void lq_serve_block_signals(void);

// Serves until SIGINT or SIGTERM, then drains. Prints one line with the address when ready.
LQ_MUST_CHECK int lq_serve(const struct lq_serve_options *options, const struct lq_model *model,
                           struct lq_error *err);
