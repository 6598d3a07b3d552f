// Messages queued for a client of /socket.io/, for whichever transport is current.
// Threads: the loop's. Owner: init/release by whoever holds the struct.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "serve/guard/account.h"

struct lq_outbox {
    struct lq_buf buf; // each message: its length, then its bytes
    size_t at;
    struct lq_charge held;
};

// holder: the client they are queued for.
void lq_outbox_init(struct lq_outbox *outbox, struct lq_holder *holder);
void lq_outbox_release(struct lq_outbox *outbox);
// Appends formatted text as one message. TOO_LARGE: the client does not read what is queued.
LQ_MUST_CHECK int lq_outbox_printf(struct lq_outbox *outbox, const char *format, ...)
    LQ_PRINTF(2, 3);
LQ_MUST_CHECK int lq_outbox_add(struct lq_outbox *outbox, const void *bytes, size_t len);
// The next message, or NULL; valid until the next call.
const uint8_t *lq_outbox_next(struct lq_outbox *outbox, size_t *len);
bool lq_outbox_empty(const struct lq_outbox *outbox);
