// The table of paths and their handlers.
// Threads: the loop's. Owner: the server holds the only table.
#pragma once

#include "serve/http/request.h"
#include "serve/live/live.h"
#include "serve/sio/client.h"

enum { LQ_ROUTES_MAX = 16 };

struct lq_routes {
    struct lq_web_route all[LQ_ROUTES_MAX]; // ends with an entry without a path
};

void lq_routes_init(struct lq_routes *routes, struct lq_live_connections *live,
                    struct lq_sio_clients *sio);
