// How the bench's client reads what a server sends; private to client.c and reply.c.
// Threads and owner: as client.h.
#pragma once

#include "bench/client.h"

bool lq_client_is_ready(const struct lq_client *client); // a WebSocket's hands are shaken
bool lq_client_has_head(const struct lq_client *client); // an HTTP reply's head was read

// Read all that has arrived. `ended`: no more will come.
LQ_MUST_CHECK int lq_client_read_http(struct lq_client *client, bool ended, struct lq_error *err);
LQ_MUST_CHECK int lq_client_read_ws(struct lq_client *client, struct lq_error *err);

// Queues a masked message.
LQ_MUST_CHECK int lq_client_say(struct lq_client *client, enum lq_ws_opcode opcode,
                                const void *bytes, size_t len);
