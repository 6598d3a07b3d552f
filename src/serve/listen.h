// The network of a server and the sockets that it listens on: for clients, and with --admin-port
// for operators.
// Threads: the one that becomes the loop. Owner: the server owns them; closing is lq_net_free.
#pragma once

#include "serve/server.h"

// Listens, with TLS when the server's options say so; the private key has been read then.
LQ_MUST_CHECK int lq_listen_open(struct lq_server *server, struct lq_error *err);
// Lines on standard output that say where.
void lq_listen_print(const struct lq_server *server);
