// The ways of sending, and parsing of replies; private to the client's files.
// Threads and owner: as client.h.
#pragma once

#include "bench/client.h"

// HTTP: one request after another, with libcurl.
LQ_MUST_CHECK int lq_client_http_open(struct lq_client *client, struct lq_error *err);
LQ_MUST_CHECK int lq_client_http_send(struct lq_client *client,
                                      const struct lq_client_frame *frame, struct lq_error *err);
// Continues all requests of the set, and reads complete replies.
LQ_MUST_CHECK int lq_client_http_pump(struct lq_client_set *set, struct lq_error *err);

// lacquer.v1 and Socket.IO over a WebSocket.
LQ_MUST_CHECK int lq_client_ws_open(struct lq_client *client, struct lq_error *err);
LQ_MUST_CHECK int lq_client_ws_send(struct lq_client *client, const struct lq_client_frame *frame,
                                    struct lq_error *err);
LQ_MUST_CHECK int lq_client_ws_pump(struct lq_client *client, struct lq_error *err);
short lq_client_ws_events(const struct lq_client *client); // events that libcurl should wait for
// Queues a masked message made of head and body.
LQ_MUST_CHECK int lq_client_ws_queue(struct lq_client *client, uint8_t opcode, const void *head,
                                     size_t head_len, const void *body, size_t body_len);

// Read what arrived in client->in: a complete HTTP reply; of a WebSocket, all complete messages.
LQ_MUST_CHECK int lq_client_read_http(struct lq_client *client, int http_status,
                                      struct lq_error *err);
LQ_MUST_CHECK int lq_client_read_ws(struct lq_client *client, struct lq_error *err);
