// Signals, which the loop reads like any socket: the end, and certificate and tokens read again.
// Threads: the loop's. Owner: the server holds the one struct.
#pragma once

#include "serve/drain.h"
#include "serve/reload.h"

struct lq_signals {
    struct lq_watch watch; // fd -1: not watched
    struct lq_drain *drain;
    const struct lq_reload *reload;
};

// Has the loop read the signals that are blocked (lq_serve_block_signals).
LQ_MUST_CHECK int lq_signals_watch(struct lq_signals *signals, struct lq_error *err);
void lq_signals_close(struct lq_signals *signals);
