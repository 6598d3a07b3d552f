// One client with rate control: what it requested, what it was sent (docs/PROTOCOL.md, "Rate
// control"). The same for lacquer.v1 and Socket.IO; only how a message is sent differs.
// Threads: the loop's. Owner: the connection holds it; nothing is allocated.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "serve/sched/load.h"

// What messages of rate control are called, both ways. The second is the first's old name, an alias
// until version 2: a client is sent the name that it used.
#define LQ_CLIENT_RATE_NAMES {"rate", "pace"}
enum { LQ_CLIENT_RATE_NAME_COUNT = 2 };

struct lq_client_rate {
    bool on;             // it requested to be sent rates
    int name;            // which of LQ_CLIENT_RATE_NAMES it used last
    struct lq_rate sent; // … and was sent this
    struct lq_rate_network network;
};

// What it sent: {"on": false, "network_ms": 80}, both left out at will. *begins: it is to be sent
// one at once. A value out of range: FIELD, and nothing is changed.
LQ_MUST_CHECK int lq_client_rate_receive(struct lq_client_rate *keep, const json_t *said,
                                         bool *begins, struct lq_error *err);

// The JPEG quality of its replies: `quality`, or less where it was sent less.
int lq_client_rate_jpeg(const struct lq_client_rate *keep, int quality);

// Whether there is something to tell: it is then in `text`, as the fields of a JSON object without
// its braces. asked: even if it is nothing new.
enum { LQ_CLIENT_RATE_TEXT = 80 };
bool lq_client_rate_update(struct lq_client_rate *keep, const struct lq_load *load, bool asked,
                       char text[LQ_CLIENT_RATE_TEXT]);
