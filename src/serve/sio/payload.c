#include "serve/sio/payload.h"

#include "base/base64.h"
#include "serve/sio/engineio.h"

// Adds what precedes a packet: a separator, or in Engine.IO 3 the packet's length.
static int add_head(struct lq_buf *out, int version, size_t units)
{
    if (version == 3)
        return lq_buf_printf(out, "%zu:", units);
    return out->len ? lq_buf_append(out, "\x1e", 1) : LQ_OK;
}

int lq_sio_payload_add(struct lq_buf *out, int version, const void *bytes, size_t len)
{
    int status = add_head(out, version, version == 3 ? lq_eio3_units(bytes, len) : 0);
    return status == LQ_OK ? lq_buf_append(out, bytes, len) : status;
}

// Adds "b" and base64; in Engine.IO 3 "b4" replaces the packet's type.
int lq_sio_payload_add_picture(struct lq_buf *out, int version, const uint8_t *bytes, size_t len)
{
    size_t type = version == 3;
    int status = add_head(out, version, 2 + lq_base64_size(len - type));
    if (status == LQ_OK)
        status = lq_buf_append(out, "b4", 1 + type);
    return status == LQ_OK ? lq_base64_encode(bytes + type, len - type, out) : status;
}
