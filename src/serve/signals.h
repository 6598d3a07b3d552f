// Signals, which the loop reads like a socket: stop, and reload of certificate and tokens.
// Threads: the loop's. Owner: the server holds the only struct.
#pragma once

#include "serve/drain.h"
#include "serve/reload.h"

struct lq_signals {
    struct lq_watch watch; // fd is -1 if not watched
    struct lq_drain *drain;
    const struct lq_reload *reload;
};

// Makes the loop read the signals that lq_serve_block_signals blocked.
LQ_MUST_CHECK int lq_signals_watch(struct lq_signals *signals, struct lq_error *err);
void lq_signals_close(struct lq_signals *signals);
