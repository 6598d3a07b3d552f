// One client that keeps pace: what it asked, what it was told (docs/PROTOCOL.md, "Keeping pace").
// The same for lacquer.v1 and Socket.IO; only how a message is sent differs.
// Threads: the loop's. Owner: the connection holds it; nothing is allocated.
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "serve/load.h"

struct lq_keep_pace {
    bool on;             // it asked to be told what to send
    struct lq_pace told; // … and was told this
    struct lq_pace_network network;
};

// What it said: {"on": false, "network_ms": 80}, both left out at will. *begins: it is to be told at
// once. A value out of range: FIELD, and nothing is changed.
LQ_MUST_CHECK int lq_keep_pace_hear(struct lq_keep_pace *keep, const json_t *said, bool *begins,
                                    struct lq_error *err);

// The JPEG quality of its replies: `quality`, or less where it was told less.
int lq_keep_pace_jpeg(const struct lq_keep_pace *keep, int quality);

// What it was told, as the fields of a JSON object without its braces.
enum { LQ_KEEP_PACE_TEXT = 80 };
void lq_keep_pace_write(const struct lq_keep_pace *keep, char text[LQ_KEEP_PACE_TEXT]);

// Whether there is something to tell, which is then keep->told. asked: even if it is nothing new.
bool lq_keep_pace_news(struct lq_keep_pace *keep, const struct lq_load *load, bool asked);
