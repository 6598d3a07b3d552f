// Messages that wait for a client of /socket.io/, whichever transport takes them.
// Threads: the loop's. Owner: init/release by who holds the struct.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "serve/guard/account.h"

struct lq_outbox {
    struct lq_buf buf; // each message: its length, its bytes
    size_t at;
    struct lq_charge held;
};

// holder: who they wait for.
void lq_outbox_init(struct lq_outbox *outbox, struct lq_holder *holder);
void lq_outbox_release(struct lq_outbox *outbox);
// Appends printf output as one message. TOO_LARGE when the client does not take what waits.
LQ_MUST_CHECK int lq_outbox_printf(struct lq_outbox *outbox, const char *format, ...)
    LQ_PRINTF(2, 3);
LQ_MUST_CHECK int lq_outbox_add(struct lq_outbox *outbox, const void *bytes, size_t len);
// The next message or NULL; it stays valid until the next call.
const uint8_t *lq_outbox_next(struct lq_outbox *outbox, size_t *len);
bool lq_outbox_empty(const struct lq_outbox *outbox);
