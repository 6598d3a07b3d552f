// Reloads certificate, key and tokens (SIGHUP).
// Threads: the loop's. Owner: the server owns what it points to.
#pragma once

#include "serve/listen.h"
#include "serve/live/live.h"
#include "serve/sched/admission.h"
#include "serve/sio/client.h"

struct lq_reload {
    struct lq_listeners *listeners;
    struct lq_access *access;
    struct lq_admission *admission;
    struct lq_live_connections *live;
    struct lq_sio_clients *sio;
};

// Replaces all of them or none. Sessions whose token was removed are closed.
void lq_reload(const struct lq_reload *reload);
