#include "serve/message/receive.h"

enum { FIRST_BYTES = 64 * 1024 }; // initial buffer size

uint8_t *lq_receive_room(struct lq_buf *buf, size_t coming, size_t *size)
{
    size_t most = buf->len > FIRST_BYTES ? buf->len : FIRST_BYTES;
    *size = coming < most ? coming : most;
    return lq_buf_reserve(buf, buf->len + *size) == LQ_OK ? buf->data + buf->len : NULL;
}
