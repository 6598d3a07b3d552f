// What waits to be written to one connection: spans in their order, some of them copies that the
// queue owns, others borrowed until they have been taken.
// Threads: the loop's. Owner: init/release by who holds the struct.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/attr.h"

struct lq_queue_span {
    struct lq_queue_span *next;
    const uint8_t *bytes;
    size_t len, at;   // at: so many were taken
    bool borrowed;
    uint8_t own[];    // of a copy
};

struct lq_queue {
    struct lq_queue_span *first, **last;
    size_t waits;     // bytes, all
    size_t owned;     // of copies
    size_t *total;    // adds owned up over all connections
};

void lq_queue_init(struct lq_queue *queue, size_t *total);
void lq_queue_release(struct lq_queue *queue);
// MEMORY.
LQ_MUST_CHECK int lq_queue_copy(struct lq_queue *queue, const void *bytes, size_t len);
LQ_MUST_CHECK int lq_queue_borrow(struct lq_queue *queue, const void *bytes, size_t len);
// Fills at most `room` pieces from the front; returns how many.
int lq_queue_pieces(const struct lq_queue *queue, struct iovec *pieces, int room);
// So many bytes were written.
void lq_queue_took(struct lq_queue *queue, size_t len);
// Makes copies of what is borrowed. MEMORY: some of it may still be borrowed; give the queue up.
LQ_MUST_CHECK int lq_queue_detach(struct lq_queue *queue);
