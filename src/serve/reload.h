// Certificate, key and tokens read again (SIGHUP).
// Threads: the loop's. Owner: what it points to is the server's.
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

// All of them are changed or none. Sessions whose token is gone end.
void lq_reload(const struct lq_reload *reload);
