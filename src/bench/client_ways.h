// The ways of sending, and what replies mean; private to the client's files.
// Threads and owner: as client.h.
#pragma once

#include "bench/client.h"

// HTTP: one request after the other, by libcurl.
LQ_MUST_CHECK int lq_client_http_open(struct lq_client *client, struct lq_error *err);
LQ_MUST_CHECK int lq_client_http_send(struct lq_client *client,
                                      const struct lq_client_frame *frame, struct lq_error *err);
// Goes on with all requests of the set, and reads the replies that are whole.
LQ_MUST_CHECK int lq_client_http_pump(struct lq_client_set *set, struct lq_error *err);

// lacquer.v1 and Socket.IO over a WebSocket.
LQ_MUST_CHECK int lq_client_ws_open(struct lq_client *client, struct lq_error *err);
LQ_MUST_CHECK int lq_client_ws_send(struct lq_client *client, const struct lq_client_frame *frame,
                                    struct lq_error *err);
LQ_MUST_CHECK int lq_client_ws_pump(struct lq_client *client, struct lq_error *err);
short lq_client_ws_events(const struct lq_client *client); // what libcurl shall wait for
// Queues a masked message, whose bytes are those of head and body.
LQ_MUST_CHECK int lq_client_ws_queue(struct lq_client *client, uint8_t opcode, const void *head,
                                     size_t head_len, const void *body, size_t body_len);

// What came, in client->in. An HTTP reply is there whole; of a WebSocket all that is whole is read.
LQ_MUST_CHECK int lq_client_read_http(struct lq_client *client, int http_status,
                                      struct lq_error *err);
LQ_MUST_CHECK int lq_client_read_ws(struct lq_client *client, struct lq_error *err);
