// Stops the server without losing a reply (drain.c lists the steps).
// Threads: the loop's. Owner: the server holds the only struct; what it points to outlives it.
#pragma once

#include "serve/listen.h"
#include "serve/live/live.h"
#include "serve/sched/admission.h"
#include "serve/sio/client.h"

struct lq_drain {
    struct lq_listeners *listeners;
    struct lq_admission *admission;
    struct lq_web *web;
    struct lq_live_connections *live;
    struct lq_sio_clients *sio;
    struct lq_timer timer;
    uint64_t moved_us;    // when progress was last made …
    uint64_t moved_bytes; // … by the network's byte count
    bool stop;            // stop at once
};

// Starts to stop; a second call stops at once. delay_s: first report "not ready" at /readyz and
// keep serving for this time.
void lq_drain_start(struct lq_drain *drain, int delay_s);
bool lq_drain_is_over(struct lq_drain *drain);
