// A growable byte buffer that cannot be made without a maximum.
// Threads: one owner at a time.
// Owner: init/release by whoever holds the struct. lq_buf_clear keeps the memory, so that a buffer
// used once per frame stops allocating after the largest frame it has seen.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lq_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; // no growth beyond this: LQ_ERR_TOO_LARGE
};

void lq_buf_init(struct lq_buf *buf, size_t size_max);
void lq_buf_release(struct lq_buf *buf);

// Forgets the contents, keeps the memory.
static inline void lq_buf_clear(struct lq_buf *buf)
{
    buf->len = 0;
}

// Makes room for `size` bytes in all; contents up to len stay. May move data.
LQ_MUST_CHECK int lq_buf_reserve(struct lq_buf *buf, size_t size);

// Room for `size` bytes and len = size, contents unspecified beyond the old len.
LQ_MUST_CHECK int lq_buf_resize(struct lq_buf *buf, size_t size);

LQ_MUST_CHECK int lq_buf_append(struct lq_buf *buf, const void *bytes, size_t len);

// Appends printf output without its terminating NUL.
LQ_MUST_CHECK int lq_buf_printf(struct lq_buf *buf, const char *format, ...) LQ_PRINTF(2, 3);
