// A growable byte buffer with a mandatory maximum.
// Threads: one owner at a time.
// Owner: init/release by whoever holds the struct. lq_buf_clear keeps the memory, so a buffer that
// is reused for every frame stops allocating after the largest frame.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lq_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; // larger requests fail with LQ_ERR_TOO_LARGE
};

void lq_buf_init(struct lq_buf *buf, size_t size_max);
void lq_buf_release(struct lq_buf *buf);

// Discards the contents but keeps the memory.
static inline void lq_buf_clear(struct lq_buf *buf)
{
    buf->len = 0;
}

// Ensures a capacity of `size` bytes; contents up to len are kept. May move data.
LQ_MUST_CHECK int lq_buf_reserve(struct lq_buf *buf, size_t size);

// Sets len to `size`; bytes beyond the old len are unspecified. May move data.
LQ_MUST_CHECK int lq_buf_resize(struct lq_buf *buf, size_t size);

LQ_MUST_CHECK int lq_buf_append(struct lq_buf *buf, const void *bytes, size_t len);

// Appends formatted text without its terminating NUL.
LQ_MUST_CHECK int lq_buf_printf(struct lq_buf *buf, const char *format, ...) LQ_PRINTF(2, 3);
