// /ws: receives pictures and sends painted pictures, with or without the lacquer.v1 header
// (docs/PROTOCOL.md).
// Threads: the loop's. Owner: the server holds the only struct; the network owns a connection,
// which is in the list until it is closed.
#pragma once

#include "net/http.h"
#include "serve/options.h"

struct lq_admission;
struct lq_live;
struct lq_model;
struct lq_serve_metrics;
struct lq_web;

struct lq_live_connections {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_admission *admission;
    struct lq_serve_metrics *metrics;
    struct lq_web *web; // responds over HTTP to what cannot become a WebSocket
    struct lq_live *first;
};

// A route's `upgrade`; context: the struct lq_live_connections.
void lq_live_upgrade(void *context, struct lq_http_request *http);
// Called once a second: rate control, timeouts, memory of idle sessions.
void lq_live_tick(struct lq_live_connections *connections, uint64_t now_us);
// Closes connections whose session is marked as revoked.
void lq_live_end_revoked(struct lq_live_connections *connections);
// The server stops: announces it, and later closes connections that have received all their
// replies.
void lq_live_drain(struct lq_live_connections *connections);
void lq_live_end_done(struct lq_live_connections *connections);
