#include "serve/sio/outbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

void lq_outbox_init(struct lq_outbox *outbox, struct lq_holder *holder)
{
    lq_buf_init(&outbox->buf, LQ_OUTBOX_BYTES_MAX);
    outbox->at = 0;
    lq_charge_begin(&outbox->held, holder);
}

void lq_outbox_release(struct lq_outbox *outbox)
{
    lq_buf_release(&outbox->buf);
    outbox->at = 0;
    lq_charge_end(&outbox->held);
}

bool lq_outbox_empty(const struct lq_outbox *outbox)
{
    return outbox->at == outbox->buf.len;
}

int lq_outbox_add(struct lq_outbox *outbox, const void *bytes, size_t len)
{
    struct lq_buf *buf = &outbox->buf;
    size_t before = buf->len;
    int status = lq_buf_append(buf, &len, sizeof len);
    if (status == LQ_OK)
        status = lq_buf_append(buf, bytes, len);
    if (status != LQ_OK)
        buf->len = before;
    lq_charge_set(&outbox->held, buf->cap);
    return status;
}

int lq_outbox_printf(struct lq_outbox *outbox, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        return LQ_ERR_TOO_LARGE;
    return lq_outbox_add(outbox, text, (size_t)len);
}

const uint8_t *lq_outbox_next(struct lq_outbox *outbox, size_t *len)
{
    if (lq_outbox_empty(outbox)) {
        lq_buf_clear(&outbox->buf);
        outbox->at = 0;
        return NULL;
    }
    memcpy(len, outbox->buf.data + outbox->at, sizeof *len);
    const uint8_t *message = outbox->buf.data + outbox->at + sizeof *len;
    outbox->at += sizeof *len + *len;
    return message;
}
