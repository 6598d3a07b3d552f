// A server's options; `lacquer serve --help` describes them to users.
// Threads: any; read-only while a server runs. Owner: the caller of lq_server_open.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/address.h"

struct lq_catalogue;

enum { LQ_ALLOW_ORIGINS_MAX = 16, LQ_CSP_CHARS_MAX = 2000, LQ_TRUSTED_PROXIES_MAX = 32,
       LQ_FRAME_ANCESTORS_CHARS_MAX = 1200 };

struct lq_serve_options {
    const char *host;          // address to listen on; "0.0.0.0" or "::" is all addresses
    int port;                  // 0: any free port
    const char *admin_host;    // of a second listener, for operators (routes.c)
    int admin_port;            // 0: any free port; -1: no such listener
    // proxies whose headers about their clients are believed
    struct lq_net_block trusted_proxies[LQ_TRUSTED_PROXIES_MAX];
    int trusted_proxy_count;
    bool proxy_protocol;       // these begin each connection with a PROXY header
    int workers;               // number of frames processed at once
    int jpeg_quality;          // of replies, unless a client requests another
    bool propagate;            // propagate nails in live frames while other frames wait
    bool smooth;               // smooth outlines on live connections, unless a client requests
                               // otherwise
    int sessions_max;
    int drain_delay_s;         // after SIGTERM, before users are disconnected
    int wait_ms_max;           // a new live session is refused if its frames would wait longer
    int max_age_ms;            // of a live frame: after this its reply is of no use
    int address_sessions_max;  // of one client address; 0: no limit
    int fps_max;               // frames a second per session
    size_t frame_bytes_max;    // for the frames and replies of all clients
    int idle_timeout_s;        // a live session without a frame for this time is closed
    const char *tls_cert, *tls_key; // PEM files, or both NULL
    bool tls_self_signed;
    const char *web_dir;       // serve the page from this folder; NULL: the built-in page
    const char *csp;           // Content-Security-Policy; "": none; NULL: that of the built-in page
    // allowed in addition to the server's own; "*" is any
    const char *allow_origins[LQ_ALLOW_ORIGINS_MAX];
    int allow_origin_count;
    const char *frame_ancestors[LQ_ALLOW_ORIGINS_MAX]; // may embed the built-in page in a frame
    int frame_ancestor_count;
    const struct lq_catalogue *catalogue; // of looks; must outlive the server
    const char *token_file;    // clients need one of its tokens; NULL: no token needed
};
