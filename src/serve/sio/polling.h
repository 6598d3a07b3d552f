// /socket.io/ over long polling: a GET waits for something to send, a POST delivers packets.
// Threads: the loop's. Owner: as sio/client.h says.
#pragma once

#include "serve/http/request.h"

// Callbacks of the route (struct lq_web_route), whose context is the struct lq_sio_clients.
void lq_sio_polling_start(struct lq_web_request *request);
void lq_sio_polling_body_done(struct lq_web_request *request);
void lq_sio_polling_wake(struct lq_web_request *request);
void lq_sio_polling_closed(struct lq_web_request *request);
