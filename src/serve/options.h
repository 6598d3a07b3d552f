// A server's options; `lacquer serve --help` describes them to users.
// Threads: any; nobody changes it while a server runs. Owner: the caller of lq_server_open.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"

struct lq_catalogue;

enum { LQ_ALLOW_ORIGINS_MAX = 16, LQ_CSP_CHARS_MAX = 2000, LQ_TRUSTED_PROXIES_MAX = 32,
       LQ_FRAME_ANCESTORS_CHARS_MAX = 1200 };

struct lq_serve_options {
    const char *host;          // address to listen on; "0.0.0.0" or "::" is every one
    int port;                  // 0: any free one
    const char *admin_host;    // of a second listener, for operators (routes.c)
    int admin_port;            // 0: any free one; -1: there is none
    struct lq_net_block trusted_proxies[LQ_TRUSTED_PROXIES_MAX]; // whose word on their clients
                               // counts
    int trusted_proxy_count;
    bool proxy_protocol;       // these begin each connection with a PROXY header
    int workers;               // frames worked on at once
    int jpeg_quality;          // of replies unless a client asks otherwise
    bool propagate;            // propagate nails in live frames while others wait
    bool smooth;               // steady outlines on live connections, unless a client asks
                               // otherwise
    int sessions_max;
    int drain_delay_s;         // after SIGTERM, before users are disconnected
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
    const char *token_file;    // who has none of its tokens is not admitted; NULL: all are
};
