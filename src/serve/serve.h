// The live server: what `lacquer serve` runs. docs/PROTOCOL.md is its contract with clients.
// Threads: lq_server_run takes over the calling thread (one event loop) and starts the workers.
// Owner: the caller owns the options and the model until the server is closed.
#pragma once

#include "model/model.h"
#include "serve/options.h"

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
// none. Who came with a token that is gone is then disconnected.
LQ_MUST_CHECK int lq_server_run(struct lq_server *server, const struct lq_model *model,
                                struct lq_error *err);
// Has the workers go over to another model, each with the next frame that it takes. Any thread,
// while the server runs; both models are the caller's until it is closed.
void lq_server_offer_model(struct lq_server *server, const struct lq_model *model);
void lq_server_close(struct lq_server *server); // NULL is fine
