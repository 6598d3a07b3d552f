// The live server: what `lacquer serve` runs. docs/PROTOCOL.md is its contract with clients.
// Threads: lq_server_run takes over the calling thread (one event loop) and starts the workers.
// Owner: the caller owns the options and the model until the server is closed.
#pragma once

#include "paint/catalogue.h"
#include "model/model.h"
#include "net/address.h"

enum { LQ_ALLOW_ORIGINS_MAX = 16, LQ_CSP_CHARS_MAX = 2000, LQ_TRUSTED_PROXIES_MAX = 32,
       LQ_FRAME_ANCESTORS_CHARS_MAX = 1200 };

struct lq_serve_options {
    const char *host;          // address to listen on; "0.0.0.0" or "::" is every one
    int port;                  // 0: any free one
    const char *admin_host;    // of a second listener, for operators (routes.c)
    int admin_port;            // 0: any free one; -1: there is none
    struct lq_net_block trusted_proxies[LQ_TRUSTED_PROXIES_MAX]; // whose word on their clients counts
    int trusted_proxy_count;
    bool proxy_protocol;       // these begin each connection with a PROXY header
    int workers;               // frames worked on at once
    int jpeg_quality;          // of replies unless a client asks otherwise
    bool propagate;            // carry nails along in live frames while others wait
    bool smooth;               // steady outlines on live connections, unless a client asks otherwise
    int sessions_max;
    int drain_delay_s;         // after SIGTERM, before users are sent away
    int wait_ms_max;           // a new live session is refused when its frames would wait longer
    int max_age_ms;            // of a live frame: then nobody waits for its answer any more
    int address_sessions_max;  // of one client address; 0: no limit
    int fps_max;               // frames a second of one session
    size_t frame_bytes_max;    // of what all clients' frames and replies take
    int idle_timeout_s;        // a live session without a frame ends after this
    const char *tls_cert, *tls_key; // PEM files, or both NULL
    bool tls_self_signed;
    const char *web_dir;       // serve the page from here; NULL: the built-in one
    const char *csp;           // Content-Security-Policy; "": none; NULL: the built-in page's own
    const char *allow_origins[LQ_ALLOW_ORIGINS_MAX]; // besides the server's own; "*" is any
    int allow_origin_count;
    const char *frame_ancestors[LQ_ALLOW_ORIGINS_MAX]; // may frame the built-in page, besides it
    int frame_ancestor_count;
    const struct lq_catalogue *catalogue; // of looks; outlives the server
    const char *token_file;    // who has none of its tokens is not let in; NULL: all are
};

struct lq_server;

// Blocks the signals that the server waits for, for this thread and those it starts. Call before
// threads are started (before the model is opened).
void lq_serve_block_signals(const struct lq_serve_options *options);

// Listens, and reads what only its owner may read: the private key, the tokens. Nobody is served
// yet, so that the caller can give up rights before it opens a model.
LQ_MUST_CHECK int lq_server_open(struct lq_server **server, const struct lq_serve_options *options,
                                 struct lq_error *err);
// Serves until SIGINT or SIGTERM, then drains. Prints one line with the address when ready. On
// SIGHUP the certificate, its key and the tokens are read again: all of them, or with a bad file
// none. Who came with a token that is gone is then sent away.
LQ_MUST_CHECK int lq_server_run(struct lq_server *server, const struct lq_model *model,
                                struct lq_error *err);
void lq_server_close(struct lq_server *server); // NULL is fine
