#include "serve/live/reply.h"

#include "base/clock.h"
#include "frame/wire.h"

static void stamp(struct lq_session *session, struct lq_frame_slot *slot, uint8_t *bytes)
{
    if (lq_frame_request_is_v1(&slot->request))
        lq_wire_reply_set_served(bytes, (uint32_t)(lq_clock_us() - slot->arrived_us),
                                 session->replaced);
}

bool lq_reply_send(struct lq_ws *ws, struct lq_session *session)
{
    struct lq_frame_slot *slot = lq_session_reply(session);
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

void lq_reply_sent(struct lq_admission *admission, enum lq_transport via,
                   struct lq_session *session)
{
    struct lq_frame_slot *slot = lq_session_reply(session);
    if (++slot->part_next < slot->part_count)
        return;
    lq_admission_count_out(admission, via, slot);
    lq_session_release(session);
}
