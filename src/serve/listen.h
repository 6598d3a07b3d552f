// The event loop and the socket that it listens on.
// Threads: the one that becomes the loop. Owner: the server owns both; closing is
// lws_context_destroy.
#pragma once

#include "serve/server.h"

LQ_MUST_CHECK int lq_listen_context(struct lq_server *server, struct lq_error *err);
// Listens with TLS when the server's options say so; the private key has been read then.
LQ_MUST_CHECK int lq_listen_open(struct lq_server *server, const struct lws_protocols *protocols,
                                 struct lq_error *err);
// One line on standard output that says where.
void lq_listen_print(const struct lq_server *server);
