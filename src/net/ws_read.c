// The receiving side of a WebSocket: frames, stored where the handler wants them.
#include <string.h>

#include "net/ws_conn.h"

static bool is_control(const struct lq_ws *ws)
{
    return ws->frame.opcode & 8;
}

static struct lq_ws_piece piece_of(const struct lq_ws *ws)
{
    uint64_t left = ws->frame.len - ws->at;
    return (struct lq_ws_piece){.kind = ws->kind, .first = ws->first, .last_frame = ws->frame.fin,
                                .coming = left < SIZE_MAX ? (size_t)left : SIZE_MAX};
}

// Where to store the payload; NULL: discard it.
static uint8_t *place_for(struct lq_ws *ws, size_t *size)
{
    struct lq_ws_piece piece = piece_of(ws);
    *size = 0;
    if (ws->closing)
        return NULL;
    uint8_t *place = ws->handler->room(ws, &piece, size);
    if (!place || *size == 0) {
        lq_ws_close(ws, 1011, "no room"); // has no effect if the handler closed it
        return NULL;
    }
    if (*size > piece.coming)
        *size = piece.coming;
    return ws->closing ? NULL : place;
}

// A frame is complete.
static void end_frame(struct lq_ws *ws)
{
    ws->in_frame = false;
    if (is_control(ws))
        lq_ws_control(ws, ws->frame.opcode, ws->control, (size_t)ws->frame.len);
    else if (ws->frame.fin)
        ws->within = false;
}

// `len` unmasked bytes have arrived at `bytes`; 0: an empty message is complete.
static void on_data(struct lq_ws *ws, const uint8_t *bytes, size_t len)
{
    struct lq_ws_piece piece = piece_of(ws);
    bool last = ws->frame.fin && ws->at + len == ws->frame.len;
    if (ws->kind == LQ_WS_TEXT && // section 8.1
        (!lq_utf8_read(&ws->utf8, bytes, len) || (last && ws->utf8 != 0))) {
        lq_ws_fail(ws, 1007, "text is not UTF-8");
        return;
    }
    ws->at += len;
    ws->first = false;
    ws->handler->received(ws, &piece, len, last);
    if (ws->at == ws->frame.len)
        end_frame(ws);
}

static size_t consume_payload(struct lq_ws *ws, uint8_t *bytes, size_t len)
{
    uint64_t left = ws->frame.len - ws->at;
    size_t size;
    if (len > left)
        len = (size_t)left;
    uint8_t *place = is_control(ws) ? ws->control + ws->at : place_for(ws, &size);
    if (place && !is_control(ws) && len > size)
        len = size;
    if (place)
        lq_ws_unmask(place, bytes, len, ws->frame.mask, ws->at);
    if (place && !is_control(ws)) {
        on_data(ws, place, len);
        return len;
    }
    if (!place)
        lq_ws_forget(ws, len);
    ws->at += len;
    if (ws->at == ws->frame.len)
        end_frame(ws);
    return len;
}

// A frame's header has been read.
static void begin_frame(struct lq_ws *ws)
{
    ws->in_frame = true;
    ws->at = 0;
    if (!is_control(ws) && ws->frame.opcode != LQ_WS_OP_CONTINUATION) {
        ws->kind = (enum lq_ws_kind)ws->frame.opcode;
        ws->within = true;
        ws->first = true;
        ws->utf8 = 0;
    }
    if (ws->frame.len > 0)
        return;
    if (!is_control(ws) && ws->frame.fin && !ws->closing)
        on_data(ws, ws->control, 0);
    else
        end_frame(ws);
}

static bool wants(const struct lq_conn *conn)
{
    const struct lq_ws *ws = conn->state;
    return !ws->paused || ws->closing;
}

static size_t input(struct lq_conn *conn, uint8_t *bytes, size_t len)
{
    struct lq_ws *ws = conn->state;
    size_t at = 0;
    ws->received_us = lq_loop_now_us(conn->net->loop);
    while (at < len && wants(conn) && !conn->ending) {
        if (ws->deaf)
            return len;
        if (ws->in_frame) {
            at += consume_payload(ws, bytes + at, len - at);
            continue;
        }
        int found = lq_ws_frame_read(&ws->frame, LQ_WS_FROM_CLIENT, bytes + at, len - at,
                                     ws->within);
        if (found == 0)
            break;
        if (found > 1) {
            lq_ws_fail(ws, found, "frame");
            return len;
        }
        at += ws->frame.head;
        begin_frame(ws);
    }
    return at;
}

static uint8_t *room(struct lq_conn *conn, size_t *size)
{
    struct lq_ws *ws = conn->state;
    return ws->in_frame && !is_control(ws) && !ws->deaf ? place_for(ws, size) : NULL;
}

static void on_payload(struct lq_conn *conn, uint8_t *bytes, size_t len)
{
    struct lq_ws *ws = conn->state;
    ws->received_us = lq_loop_now_us(conn->net->loop);
    lq_ws_unmask(bytes, bytes, len, ws->frame.mask, ws->at);
    on_data(ws, bytes, len);
}

static void on_ended(struct lq_conn *conn)
{
    const struct lq_ws *ws = conn->state;
    if (ws->closing)
        lq_conn_close(conn);
    else
        lq_conn_end(conn, LQ_END_PEER);
}

static void on_closed(struct lq_conn *conn, enum lq_net_end end)
{
    struct lq_ws *ws = conn->state;
    conn->state = NULL;
    if (end == LQ_END_DONE)
        end = ws->end;
    if (ws->handler->closed)
        ws->handler->closed(ws, ws->code, end);
    lq_loop_free_later(conn->net->loop, &ws->garbage);
}

const struct lq_protocol lq_ws_protocol = {
    .input = input,
    .wants = wants,
    .room = room,
    .received = on_payload,
    .ended = on_ended,
    .drained = lq_ws_drained,
    .deadline = lq_ws_deadline,
    .closed = on_closed,
    .read_max = 64 * 1024,
};
