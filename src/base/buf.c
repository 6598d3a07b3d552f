#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_SIZE = 4096, BUF_ALIGN = 64 };

void lq_buf_init(struct lq_buf *buf, size_t size_max)
{
    *buf = (struct lq_buf){.max = size_max};
}

void lq_buf_release(struct lq_buf *buf)
{
    free(buf->data);
    *buf = (struct lq_buf){.max = buf->max};
}

int lq_buf_reserve(struct lq_buf *buf, size_t size)
{
    if (size <= buf->cap)
        return LQ_OK;
    if (size > buf->max)
        return LQ_ERR_TOO_LARGE;
    size_t cap = buf->cap ? buf->cap : BUF_FIRST_SIZE;
    while (cap < size)
        cap += cap / 2;
    if (cap > buf->max)
        cap = buf->max;
    // Aligned for wide vector loads from pixel rows and tensors.
    size_t padded = (cap + BUF_ALIGN - 1) / BUF_ALIGN * BUF_ALIGN;
    uint8_t *data = aligned_alloc(BUF_ALIGN, padded);
    if (!data)
        return LQ_ERR_MEMORY;
    if (buf->len)
        memcpy(data, buf->data, buf->len);
    free(buf->data);
    buf->data = data;
    buf->cap = cap;
    return LQ_OK;
}

int lq_buf_resize(struct lq_buf *buf, size_t size)
{
    int status = lq_buf_reserve(buf, size);
    if (status == LQ_OK)
        buf->len = size;
    return status;
}

int lq_buf_append(struct lq_buf *buf, const void *bytes, size_t len)
{
    if (len > buf->max - buf->len)
        return LQ_ERR_TOO_LARGE;
    int status = lq_buf_reserve(buf, buf->len + len);
    if (status != LQ_OK || len == 0)
        return status;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    return LQ_OK;
}

int lq_buf_printf(struct lq_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int status = len < 0 ? LQ_ERR_ARGUMENT : lq_buf_reserve(buf, buf->len + (size_t)len + 1);
    if (status == LQ_OK) {
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return status;
}
