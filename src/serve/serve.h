// The live server behind `lacquer serve`. docs/PROTOCOL.md is its contract with clients.
// Threads: lq_server_run uses the calling thread for the event loop and starts the workers.
// Owner: the caller owns the options and the model, which must outlive the server.
#pragma once

#include "model/model.h"
#include "serve/options.h"

struct lq_server;

// Blocks the signals that the server handles, in this thread and those it starts. Call it before
// starting threads (before opening the model).
void lq_serve_block_signals(const struct lq_serve_options *options);

// Starts listening and reads files that only their owner may read: the private key and the tokens.
// Nobody is served yet, so the caller can drop privileges before it opens a model.
LQ_MUST_CHECK int lq_server_open(struct lq_server **server, const struct lq_serve_options *options,
                                 struct lq_error *err);
// Serves until SIGINT or SIGTERM, then drains. Prints one line with the address when ready. SIGHUP
// reloads the certificate, its key and the tokens: all of them, or none if a file is bad. Clients
// whose token was removed are then disconnected.
LQ_MUST_CHECK int lq_server_run(struct lq_server *server, const struct lq_model *model,
                                struct lq_error *err);
// Switches the workers to another model, each with its next frame. Any thread may call it while the
// server runs; both models belong to the caller and must outlive the server.
void lq_server_offer_model(struct lq_server *server, const struct lq_model *model);
void lq_server_close(struct lq_server *server); // server may be NULL
