// The rate control of one client: what it requested and what it was sent (docs/PROTOCOL.md, "Rate
// control"). Shared by lacquer.v1 and Socket.IO; only the sending of messages differs.
// Threads: the loop's. Owner: the connection holds it; nothing is allocated.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "serve/sched/load.h"

// Names of rate control messages, in both directions. The second is the old name, kept as an alias
// until version 2: a client is sent the name that it used.
#define LQ_CLIENT_RATE_NAMES {"rate", "pace"}
enum { LQ_CLIENT_RATE_NAME_COUNT = 2 };

struct lq_client_rate {
    bool on;             // it requested rate control
    int name;            // index in LQ_CLIENT_RATE_NAMES of the name it used last
    struct lq_rate sent; // … and the last rate it was sent
    struct lq_rate_network network;
};

// Handles a client's message: {"on": false, "network_ms": 80}, both keys optional. *begins: send it
// a rate at once. FIELD: a value is out of range; nothing is changed.
LQ_MUST_CHECK int lq_client_rate_receive(struct lq_client_rate *keep, const json_t *said,
                                         bool *begins, struct lq_error *err);

// The JPEG quality of its replies: `quality`, or the lower quality that it was sent.
int lq_client_rate_jpeg(const struct lq_client_rate *keep, int quality);

// Whether the client must be sent a rate: `text` then holds the fields of a JSON object, without
// braces. requested: send it even if it has not changed.
enum { LQ_CLIENT_RATE_TEXT = 80 };
bool lq_client_rate_update(struct lq_client_rate *keep, const struct lq_load *load, bool requested,
                       char text[LQ_CLIENT_RATE_TEXT]);
