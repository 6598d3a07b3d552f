// Stopping without losing a reply (drain.c says in which steps).
// Threads: the loop's. Owner: the server holds the one struct; what it points to outlives it.
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
    uint64_t moved_us;    // when something last went on …
    uint64_t moved_bytes; // … by the network's count
    bool stop;            // at once
};

// Stops; called a second time, at once. delay_s: says at /readyz first that no new users should
// come, and serves on for so long.
void lq_drain_start(struct lq_drain *drain, int delay_s);
bool lq_drain_is_over(struct lq_drain *drain);
