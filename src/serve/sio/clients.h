// Operations on all clients of /socket.io/: once a second, and when the server stops.
// Threads: the loop's. Owner: as sio/client.h says.
#pragma once

#include "serve/sio/client.h"

// Whether a request to /socket.io/ names a session. An admitted client gets a session id, which is
// a secret, and some clients send nothing else afterwards. A route's `is_known`.
bool lq_sio_is_known(const void *clients, const struct lq_http_request *http);
// Ends clients whose session is marked as revoked.
void lq_sio_end_revoked(struct lq_sio_clients *all);
// Called once a second: rate control, timeouts, memory of idle sessions; ends clients that are
// finished.
void lq_sio_tick(struct lq_sio_clients *all, uint64_t now_us);
void lq_sio_close_all(struct lq_sio_clients *all);
