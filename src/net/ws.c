// The sending side of a WebSocket: messages, pings and pongs, and closing.
#include "net/ws.h"

#include <string.h>

#include "net/ws_conn.h"

void *lq_ws_state(const struct lq_ws *ws)
{
    return ws->state;
}

bool lq_ws_is_sending(const struct lq_ws *ws)
{
    return ws->sending;
}

bool lq_ws_is_closing(const struct lq_ws *ws)
{
    return ws->closing;
}

// ---- messages ----------------------------------------------------------------------------------

// Leads to a call of `drained` from the connection's job.
void lq_ws_wake(struct lq_ws *ws)
{
    ws->wake = true;
    ws->conn->wrote = true;
    lq_conn_work(ws->conn);
}

int lq_ws_send(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes, size_t len,
               size_t head_room)
{
    uint8_t head[LQ_WS_FRAME_HEAD_MAX];
    if (ws->closing || ws->sending || ws->conn->ending)
        return LQ_ERR_BUSY;
    size_t size = lq_ws_frame_write(head, (uint8_t)kind, len, NULL);
    ws->sending = true;
    if (size > head_room) {
        lq_conn_write(ws->conn, head, size, bytes, len);
        return LQ_OK;
    }
    uint8_t *start = (uint8_t *)(uintptr_t)bytes - size; // the caller lets us overwrite these
    memcpy(start, head, size);
    lq_conn_write(ws->conn, NULL, 0, start, size + len);
    return LQ_OK;
}

// Writes a short frame, or one whose bytes may be copied.
static void write_frame(struct lq_ws *ws, uint8_t opcode, const void *bytes, size_t len)
{
    uint8_t frame[LQ_WS_FRAME_HEAD_MAX + 4096];
    size_t size = lq_ws_frame_write(frame, opcode, len, NULL);
    size_t part = len < sizeof frame - size ? len : sizeof frame - size;
    if (len > 0)
        memcpy(frame + size, bytes, part);
    lq_conn_write(ws->conn, frame, size + part, NULL, 0);
    if (part < len)
        lq_conn_write(ws->conn, (const uint8_t *)bytes + part, len - part, NULL, 0);
}

int lq_ws_send_copy(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes, size_t len)
{
    if (ws->closing || ws->conn->ending)
        return LQ_ERR_BUSY;
    if (len + ws->conn->queue.owned > lq_conn_limits(ws->conn)->queue_bytes)
        return LQ_ERR_TOO_LARGE;
    write_frame(ws, (uint8_t)kind, bytes, len);
    return ws->conn->ending ? LQ_ERR_MEMORY : LQ_OK;
}

void lq_ws_detach(struct lq_ws *ws)
{
    if (lq_queue_detach(&ws->conn->queue) != LQ_OK)
        lq_conn_end(ws->conn, LQ_END_MEMORY);
    ws->sending = false;
}

void lq_ws_drained(struct lq_conn *conn)
{
    struct lq_ws *ws = conn->state;
    if (ws->sending) {
        ws->sending = false;
        if (ws->handler->sent)
            ws->handler->sent(ws);
    }
    if (ws->pong_due && !ws->closing) {
        ws->pong_due = false;
        write_frame(ws, LQ_WS_OP_PONG, ws->pong, ws->pong_len);
    }
    if (!ws->wake || ws->closing || conn->ending || conn->queue.waits)
        return;
    ws->wake = false;
    if (ws->handler->writable)
        ws->handler->writable(ws);
}

// ---- pings -------------------------------------------------------------------------------------

static void set_deadline(struct lq_ws *ws)
{
    const struct lq_net_limits *limits = lq_conn_limits(ws->conn);
    uint64_t now_us = lq_loop_now_us(ws->conn->net->loop);
    uint64_t ping_us = ws->pinged_us + UINT64_C(1000) * limits->ping_ms;
    uint64_t lost_us = ws->received_us + UINT64_C(1000) * limits->pong_ms;
    uint64_t at_us = ping_us < lost_us ? ping_us : lost_us;
    lq_conn_set_deadline(ws->conn, at_us > now_us ? (at_us - now_us) / 1000 + 1 : 1);
}

void lq_ws_deadline(struct lq_conn *conn)
{
    struct lq_ws *ws = conn->state;
    const struct lq_net_limits *limits = lq_conn_limits(conn);
    uint64_t now_us = lq_loop_now_us(conn->net->loop);
    if (ws->closing) {
        lq_conn_close(conn);
        return;
    }
    if (ws->paused)
        ws->received_us = now_us; // nothing is read, so silence means nothing
    if (now_us >= ws->received_us + UINT64_C(1000) * limits->pong_ms) {
        lq_conn_end(conn, LQ_END_SLOW);
        return;
    }
    if (now_us >= ws->pinged_us + UINT64_C(1000) * limits->ping_ms) {
        ws->pinged_us = now_us;
        if (conn->queue.owned < limits->queue_bytes)
            write_frame(ws, LQ_WS_OP_PING, NULL, 0);
    }
    set_deadline(ws);
}

// Answers every ping while the client reads; otherwise only the last one (section 5.5.3).
static void send_pong(struct lq_ws *ws, const uint8_t *bytes, size_t len)
{
    if (ws->conn->queue.owned < lq_conn_limits(ws->conn)->queue_bytes / 2) {
        write_frame(ws, LQ_WS_OP_PONG, bytes, len);
        return;
    }
    if (len > 0)
        memcpy(ws->pong, bytes, len);
    ws->pong_len = (uint8_t)len;
    ws->pong_due = true;
}

// ---- the end -----------------------------------------------------------------------------------

// Writes a close frame with a code and a reason, not cut inside a character (section 7.4). Code 0:
// neither.
static void write_close(struct lq_ws *ws, int code, const char *reason)
{
    uint8_t payload[LQ_WS_CONTROL_BYTES_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = reason ? strlen(reason) : 0;
    if (len > sizeof payload - 2)
        for (len = sizeof payload - 2; len > 0 && ((uint8_t)reason[len] & 0xc0) == 0x80;)
            len--;
    if (len > 0)
        memcpy(payload + 2, reason, len);
    write_frame(ws, LQ_WS_OP_CLOSE, payload, code ? 2 + len : 0);
    ws->closing = true;
}

void lq_ws_close(struct lq_ws *ws, int code, const char *reason)
{
    if (ws->closing || ws->conn->ending)
        return;
    write_close(ws, code, reason);
    ws->closing_us = lq_loop_now_us(ws->conn->net->loop);
    lq_conn_set_deadline(ws->conn, lq_conn_limits(ws->conn)->close_ms);
}

// A client in the middle of a long message sees the close frame only after it: each of its bytes
// extends the deadline, within bounds.
void lq_ws_forget(struct lq_ws *ws, size_t len)
{
    const struct lq_net_limits *limits = lq_conn_limits(ws->conn);
    uint64_t now_us = lq_loop_now_us(ws->conn->net->loop);
    ws->forgotten += len;
    if (!ws->closing || ws->deaf)
        return;
    if (ws->forgotten > limits->discard_bytes ||
        now_us > ws->closing_us + UINT64_C(1000) * limits->body_ms)
        lq_conn_close(ws->conn);
    else
        lq_conn_set_deadline(ws->conn, limits->close_ms);
}

void lq_ws_fail(struct lq_ws *ws, int code, const char *why)
{
    if (!ws->closing)
        write_close(ws, code, why);
    ws->deaf = true;
    ws->end = LQ_END_BROKEN;
    lq_conn_close(ws->conn);
}

static void on_close(struct lq_ws *ws, const uint8_t *bytes, size_t len)
{
    int code = len >= 2 ? bytes[0] << 8 | bytes[1] : 1005;
    uint32_t utf8 = 0;
    if (len == 1 || (len >= 2 && !lq_ws_code_is_good(code))) {
        lq_ws_fail(ws, 1002, "close code");
        return;
    }
    if (len > 2 && (!lq_utf8_read(&utf8, bytes + 2, len - 2) || utf8 != 0)) {
        lq_ws_fail(ws, 1007, "close reason");
        return;
    }
    ws->code = code;
    ws->deaf = true;
    if (!ws->closing)
        write_close(ws, len >= 2 ? code : 0, NULL); // section 5.5.1: its code is sent back
    lq_conn_close(ws->conn); // section 7.1.1: the server closes first
}

void lq_ws_control(struct lq_ws *ws, uint8_t opcode, const uint8_t *bytes, size_t len)
{
    if (opcode == LQ_WS_OP_CLOSE)
        on_close(ws, bytes, len);
    else if (opcode == LQ_WS_OP_PING && !ws->closing)
        send_pong(ws, bytes, len);
}

void lq_ws_kill(struct lq_ws *ws)
{
    lq_conn_end(ws->conn, LQ_END_STOPPED);
}

void lq_ws_pause(struct lq_ws *ws)
{
    ws->paused = true;
}

void lq_ws_resume(struct lq_ws *ws)
{
    ws->paused = false;
    lq_conn_work(ws->conn);
}
