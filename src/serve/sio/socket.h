// /socket.io/ over WebSocket, either from the start or after a probe during polling.
// Threads: the loop's. Owner: as sio/client.h says.
#pragma once

struct lq_http_request;

// A route's `upgrade`; context: the struct lq_sio_clients.
void lq_sio_upgrade(void *context, struct lq_http_request *http);
