// The server's listeners: for clients and, with --admin-port, for operators; and who may connect.
// Threads: the loop's. Owner: the server holds the one struct; it owns the network and all that
// connects through it.
#pragma once

#include "net/net.h"
#include "serve/guard/address_limits.h"
#include "serve/http/request.h"
#include "serve/options.h"

struct lq_listeners;

// What a listener's requests and connections come with.
struct lq_entry {
    struct lq_web_entry web; // first: the handler's
    struct lq_listeners *listeners;
};

struct lq_listeners {
    const struct lq_serve_options *options;
    struct lq_serve_metrics *metrics;
    struct lq_net *net;
    struct lq_entry entry, admin_entry;
    struct lq_listener *listener, *admin_listener;
    struct ssl_ctx_st *ssl;              // with TLS: what new connections are made from
    struct lq_address_limits connections; // who has which
    int admin_connections;
};

// Opens all that the options name. On failure what was opened stays for lq_listeners_close.
LQ_MUST_CHECK int lq_listeners_open(struct lq_listeners *listeners, struct lq_web *web,
                                    struct lq_error *err);
// Ends every connection. A half-opened struct is fine, and one of zeroes.
void lq_listeners_close(struct lq_listeners *listeners);
// Prints where the server listens: one line, and one more for operators.
void lq_listeners_print(const struct lq_listeners *listeners);
