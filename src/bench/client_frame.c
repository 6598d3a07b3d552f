#include <string.h>

#include "bench/client_ways.h"
#include "net/ws_frame.h"

// A new mask for each message (xorshift32).
static void next_mask(struct lq_client *client, uint8_t mask[4])
{
    client->mask ^= client->mask << 13;
    client->mask ^= client->mask >> 17;
    client->mask ^= client->mask << 5;
    memcpy(mask, &client->mask, 4);
}

int lq_client_ws_queue(struct lq_client *client, uint8_t opcode, const void *head, size_t head_len,
                       const void *body, size_t body_len)
{
    uint8_t start[LQ_WS_FRAME_HEAD_MAX], mask[4];
    struct lq_buf *out = &client->out;
    next_mask(client, mask);
    size_t used = lq_ws_frame_write(start, opcode, head_len + body_len, mask);
    int status = lq_buf_append(out, start, used);
    size_t at = out->len;
    if (status == LQ_OK)
        status = lq_buf_resize(out, at + head_len + body_len);
    if (status != LQ_OK)
        return status;
    lq_ws_unmask(out->data + at, head, head_len, mask, 0);
    lq_ws_unmask(out->data + at + head_len, body, body_len, mask, head_len);
    return LQ_OK;
}
