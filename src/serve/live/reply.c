// Frames in and replies out of a WebSocket, whichever of the two protocols it speaks.
#include "base/clock.h"
#include "serve/server.h"
#include "serve/message/wire.h"

uint8_t *lq_server_room(struct lq_buf *buf, size_t coming, size_t *size)
{
    size_t most = buf->len > LQ_BUFFER_FIRST ? buf->len : LQ_BUFFER_FIRST;
    *size = coming < most ? coming : most;
    return lq_buf_reserve(buf, buf->len + *size) == LQ_OK ? buf->data + buf->len : NULL;
}

static void stamp(struct lq_session *session, struct lq_slot *slot, uint8_t *bytes)
{
    if (lq_ask_is_v1(&slot->ask))
        lq_wire_reply_set_served(bytes, (uint32_t)(lq_clock_us() - slot->arrived_us),
                                 session->replaced);
}

bool lq_reply_send(struct lq_ws *ws, struct lq_session *session)
{
    struct lq_slot *slot = lq_session_reply(session);
    if (!slot)
        return true;
    if (slot->part_count == 0)
        return false;
    const struct lq_part *part = &slot->parts[slot->part_next];
    uint8_t *bytes = (part->picture ? slot->picture.data : slot->message.data) + part->at;
    if (part->picture)
        stamp(session, slot, bytes);
    return lq_ws_send(ws, part->picture ? LQ_WS_BINARY : LQ_WS_TEXT, bytes, part->len,
                      LQ_WS_HEAD) == LQ_OK;
}

bool lq_reply_waits(struct lq_session *session)
{
    return lq_session_reply(session) != NULL;
}

void lq_reply_sent(struct lq_server *server, enum lq_transport via, struct lq_session *session)
{
    struct lq_slot *slot = lq_session_reply(session);
    if (++slot->part_next < slot->part_count)
        return;
    lq_server_count_out(server, via, slot);
    lq_session_release(session);
}
