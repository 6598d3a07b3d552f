// The server's listeners: one for clients and, with --admin-port, one for operators; and who may
// connect.
// Threads: the loop's. Owner: the server holds the only struct; it owns the network and all of its
// connections.
#pragma once

#include "net/net.h"
#include "serve/guard/address_limits.h"
#include "serve/http/request.h"
#include "serve/options.h"

struct lq_listeners;

// The context of a listener's requests and connections.
struct lq_entry {
    struct lq_web_entry web; // must be first: the handler's context
    struct lq_listeners *listeners;
};

struct lq_listeners {
    const struct lq_serve_options *options;
    struct lq_serve_metrics *metrics;
    struct lq_net *net;
    struct lq_entry entry, admin_entry;
    struct lq_listener *listener, *admin_listener;
    struct ssl_ctx_st *ssl;              // with TLS: the context for new connections
    struct lq_address_limits connections; // connections per address
    int admin_connections;
};

// Opens all listeners that the options name. After a failure call lq_listeners_close.
LQ_MUST_CHECK int lq_listeners_open(struct lq_listeners *listeners, struct lq_web *web,
                                    struct lq_error *err);
// Ends every connection. Accepts a partly opened or zeroed struct.
void lq_listeners_close(struct lq_listeners *listeners);
// Prints the address of the server: one line, and another for operators.
void lq_listeners_print(const struct lq_listeners *listeners);
