#include "net/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void lq_queue_init(struct lq_queue *queue, size_t *total)
{
    *queue = (struct lq_queue){.total = total};
}

static void count_owned(struct lq_queue *queue, const struct lq_queue_span *span, bool more)
{
    if (span->borrowed)
        return;
    queue->owned = more ? queue->owned + span->len : queue->owned - span->len;
    *queue->total = more ? *queue->total + span->len : *queue->total - span->len;
}

static void drop_first(struct lq_queue *queue)
{
    struct lq_queue_span *span = queue->first;
    queue->first = span->next;
    if (!queue->first)
        queue->last = NULL;
    count_owned(queue, span, false);
    free(span);
}

void lq_queue_release(struct lq_queue *queue)
{
    while (queue->first)
        drop_first(queue);
    queue->waits = 0;
}

static void append(struct lq_queue *queue, struct lq_queue_span *span)
{
    *(queue->last ? queue->last : &queue->first) = span;
    queue->last = &span->next;
    queue->waits += span->len - span->at;
    count_owned(queue, span, true);
}

static struct lq_queue_span *copy_of(const void *bytes, size_t len)
{
    struct lq_queue_span *span = malloc(sizeof *span + len);
    if (!span)
        return NULL;
    *span = (struct lq_queue_span){.bytes = span->own, .len = len};
    memcpy(span->own, bytes, len);
    return span;
}

int lq_queue_copy(struct lq_queue *queue, const void *bytes, size_t len)
{
    if (len == 0)
        return LQ_OK;
    struct lq_queue_span *span = copy_of(bytes, len);
    if (!span)
        return LQ_ERR_MEMORY;
    append(queue, span);
    return LQ_OK;
}

int lq_queue_borrow(struct lq_queue *queue, const void *bytes, size_t len)
{
    if (len == 0)
        return LQ_OK;
    struct lq_queue_span *span = malloc(sizeof *span);
    if (!span)
        return LQ_ERR_MEMORY;
    *span = (struct lq_queue_span){.bytes = bytes, .len = len, .borrowed = true};
    append(queue, span);
    return LQ_OK;
}

int lq_queue_pieces(const struct lq_queue *queue, struct iovec *pieces, int room)
{
    int count = 0;
    for (const struct lq_queue_span *span = queue->first; span && count < room; span = span->next)
        pieces[count++] = (struct iovec){(uint8_t *)(uintptr_t)(span->bytes + span->at),
                                         span->len - span->at};
    return count;
}

void lq_queue_consume(struct lq_queue *queue, size_t len)
{
    queue->waits -= len;
    while (len > 0) {
        struct lq_queue_span *span = queue->first;
        size_t part = span->len - span->at < len ? span->len - span->at : len;
        span->at += part;
        len -= part;
        if (span->at == span->len)
            drop_first(queue);
    }
}

int lq_queue_detach(struct lq_queue *queue)
{
    for (struct lq_queue_span **link = &queue->first; *link; link = &(*link)->next) {
        struct lq_queue_span *span = *link;
        if (!span->borrowed)
            continue;
        struct lq_queue_span *copy = copy_of(span->bytes + span->at, span->len - span->at);
        if (!copy)
            return LQ_ERR_MEMORY;
        copy->next = span->next;
        *link = copy;
        if (!copy->next)
            queue->last = &copy->next;
        count_owned(queue, copy, true);
        free(span);
    }
    return LQ_OK;
}
