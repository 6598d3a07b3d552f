// Output queued for one connection: an ordered list of spans. Some are copies that the queue owns,
// others are borrowed until they have been sent.
// Threads: the loop's. Owner: init/release by whoever holds the struct.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/attr.h"

struct lq_queue_span {
    struct lq_queue_span *next;
    const uint8_t *bytes;
    size_t len, at;   // at: bytes already sent
    bool borrowed;
    uint8_t own[];    // data of a copy
};

struct lq_queue {
    struct lq_queue_span *first, **last;
    size_t waits;     // bytes in all spans
    size_t owned;     // bytes in copies
    size_t *total;    // sum of `owned` over all connections
};

void lq_queue_init(struct lq_queue *queue, size_t *total);
void lq_queue_release(struct lq_queue *queue);
// Both fail with MEMORY.
LQ_MUST_CHECK int lq_queue_copy(struct lq_queue *queue, const void *bytes, size_t len);
LQ_MUST_CHECK int lq_queue_borrow(struct lq_queue *queue, const void *bytes, size_t len);
// Fills at most `room` pieces from the front; returns their number.
int lq_queue_pieces(const struct lq_queue *queue, struct iovec *pieces, int room);
// Removes `len` bytes from the front, which were written.
void lq_queue_consume(struct lq_queue *queue, size_t len);
// Copies what is borrowed. After MEMORY some may still be borrowed: discard the queue.
LQ_MUST_CHECK int lq_queue_detach(struct lq_queue *queue);
