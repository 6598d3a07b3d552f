// What every kind of connection needs: its opening, messages that wait, replies that go out.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/wire.h"

void lq_conn_set(struct lq_conn *conn, const struct lq_conn_ops *ops, void *state)
{
    if (conn->link) {
        *conn->link = conn->next;
        if (conn->next)
            conn->next->link = conn->link;
        conn->link = NULL;
    }
    conn->ops = ops;
    conn->state = state;
    if (!ops)
        return;
    conn->next = conn->server->conns;
    conn->link = &conn->server->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    conn->server->conns = conn;
}

void lq_conn_set_flushing(struct lq_conn *conn, bool flushing)
{
    conn->server->flushing += flushing - conn->flushing;
    conn->flushing = flushing;
}

struct lq_address lq_client_address(const struct lq_conn *conn)
{
    return lq_address_of(lws_get_socket_fd(lws_get_network_wsi(conn->wsi)));
}

bool lq_query(struct lws *wsi, const char *name_equals, char *value, size_t size)
{
    char text[256];
    const char *found = lws_get_urlarg_by_name(wsi, name_equals, text, sizeof text);
    if (!found || strlen(found) >= size)
        return false;
    snprintf(value, size, "%s", found);
    return true;
}

// Answers an upgrade that is not made. The library's own way says HTTP/1.0, which clients of
// WebSocket do not take for an answer. `head` is the status and what headers belong to it.
static int refuse_upgrade(struct lq_conn *conn, const char *head, int status, const char *why)
{
    uint8_t text[LWS_PRE + 512];
    struct lq_error error;
    struct lq_buf body;
    lq_metrics_count_error(&conn->server->metrics, status);
    lq_fail(&error, status, "%s", why);
    lq_buf_init(&body, 256);
    if (lq_answer_http_error(&body, &error) == LQ_OK) {
        int len = snprintf((char *)text + LWS_PRE, sizeof text - LWS_PRE,
                           "HTTP/1.1 %s\r\ncontent-type: application/json\r\n"
                           "content-length: %zu\r\nconnection: close\r\n\r\n%.*s",
                           head, body.len, (int)body.len, (const char *)body.data);
        lws_write(conn->wsi, text + LWS_PRE, (size_t)len, LWS_WRITE_HTTP_FINAL);
    }
    lq_buf_release(&body);
    return -1;
}

// libwebsockets 4.1 takes any version for 13, and drops who offers more than this in extensions.
enum { EXTENSIONS_CHARS_MAX = 255 };

// Why an upgrade cannot be made whoever asks, as a head for refuse_upgrade; NULL: it can.
static const char *check_handshake(struct lws *wsi, const char **why)
{
    char version[8];
    *why = "only WebSocket version 13 is spoken here";
    if (lws_hdr_copy(wsi, version, sizeof version, WSI_TOKEN_VERSION) <= 0 ||
        strcmp(version, "13") != 0)
        return "426 Upgrade Required\r\nsec-websocket-version: 13\r\nupgrade: websocket";
    *why = "Sec-WebSocket-Extensions is longer than 255 characters";
    if (lws_hdr_total_length(wsi, WSI_TOKEN_EXTENSIONS) > EXTENSIONS_CHARS_MAX)
        return "431 Request Header Fields Too Large";
    return NULL;
}

int lq_upgrade(struct lq_conn *conn, bool v1)
{
    char *path, origin[256];
    int len;
    bool cross;
    if (lws_http_get_uri_and_method(conn->wsi, &path, &len) != LWSHUMETH_GET)
        return -1;
    const char *why, *head = check_handshake(conn->wsi, &why);
    if (head)
        return refuse_upgrade(conn, head, LQ_ERR_ARGUMENT, why);
    bool is_sio = strcmp(path, "/socket.io/") == 0 || strcmp(path, "/socket.io") == 0;
    if (!lq_access_token(conn->server, conn->wsi) && !(is_sio && lq_sio_is_known(conn)))
        return refuse_upgrade(conn, "401 Unauthorized\r\nwww-authenticate: Bearer",
                              LQ_ERR_AUTH, LQ_WANTS_TOKEN);
    if (!lq_access_origin(conn->server, conn->wsi, origin, sizeof origin, &cross))
        return refuse_upgrade(conn, "403 Forbidden", LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    if (strcmp(path, "/ws") == 0)
        return lq_live_upgrade(conn, v1);
    if (is_sio)
        return lq_sio_upgrade(conn);
    return refuse_upgrade(conn, "404 Not Found", LQ_ERR_NOT_FOUND, "there is no socket at this path");
}

// ---- messages that wait ------------------------------------------------------------------------

void lq_outbox_init(struct lq_outbox *outbox, struct lq_holder *holder)
{
    lq_buf_init(&outbox->buf, LQ_OUTBOX_BYTES_MAX);
    outbox->at = 0;
    lq_charge_begin(&outbox->held, holder);
}

void lq_outbox_release(struct lq_outbox *outbox)
{
    lq_buf_release(&outbox->buf);
    lq_charge_end(&outbox->held);
    outbox->at = 0;
}

bool lq_outbox_empty(const struct lq_outbox *outbox)
{
    return outbox->at == outbox->buf.len;
}

// Each message: its length, LWS_PRE bytes of room, its bytes.
int lq_outbox_add(struct lq_outbox *outbox, const void *bytes, size_t len)
{
    struct lq_buf *buf = &outbox->buf;
    size_t before = buf->len;
    int status = lq_buf_append(buf, &len, sizeof len);
    if (status == LQ_OK)
        status = lq_buf_resize(buf, buf->len + LWS_PRE);
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

uint8_t *lq_outbox_next(struct lq_outbox *outbox, size_t *len)
{
    if (lq_outbox_empty(outbox)) {
        lq_buf_clear(&outbox->buf);
        outbox->at = 0;
        return NULL;
    }
    memcpy(len, outbox->buf.data + outbox->at, sizeof *len);
    uint8_t *message = outbox->buf.data + outbox->at + sizeof *len + LWS_PRE;
    outbox->at += sizeof *len + LWS_PRE + *len;
    return message;
}

// ---- replies -----------------------------------------------------------------------------------

static void stamp(struct lq_session *session, struct lq_slot *slot, uint8_t *bytes)
{
    if (lq_ask_is_v1(&slot->ask))
        lq_wire_reply_set_served(bytes, (uint32_t)(lq_clock_us() - slot->arrived_us),
                                 session->replaced);
}

int lq_conn_send_reply(struct lq_conn *conn, enum lq_transport via, struct lq_session *session)
{
    struct lq_slot *slot = lq_session_reply(session);
    if (!slot)
        return 0;
    if (slot->part_count == 0)
        return -1; // there was no memory for an answer
    const struct lq_part *part = &slot->parts[slot->part_next];
    uint8_t *bytes = (part->picture ? slot->picture.data : slot->message.data) + part->at;
    if (part->picture)
        stamp(session, slot, bytes);
    if (lws_write(conn->wsi, bytes, part->len, part->picture ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0)
        return -1;
    conn->stuck_us = 0;
    if (++slot->part_next < slot->part_count)
        return 1;
    lq_server_count_out(conn->server, via, slot);
    lq_session_release(session);
    return 1;
}

bool lq_conn_has_reply(struct lq_session *session)
{
    return lq_session_reply(session) != NULL;
}

void lq_conn_end_if_stuck(struct lq_conn *conn, struct lq_session *session, uint64_t now_us)
{
    const uint64_t second = 1000000;
    bool waits = lws_partial_buffered(conn->wsi) || lq_conn_has_reply(session);
    if (!waits)
        conn->stuck_us = 0;
    else if (!conn->stuck_us)
        conn->stuck_us = now_us;
    if (waits && now_us > conn->stuck_us + LQ_SLOW_READER_S * second) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_TIMEOUT);
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

void lq_conn_tick_ping(struct lq_conn *conn, uint64_t now_us)
{
    if (!conn->pinged_us)
        conn->pinged_us = now_us;
    if (now_us < conn->pinged_us + LQ_PING_S * UINT64_C(1000000))
        return;
    conn->pinged_us = now_us;
    conn->ping_due = true;
    lws_callback_on_writable(conn->wsi);
}

int lq_conn_send_ping(struct lq_conn *conn)
{
    uint8_t bytes[LWS_PRE];
    if (!conn->ping_due)
        return 0;
    conn->ping_due = false;
    lws_callback_on_writable(conn->wsi); // for what it came before
    return lws_write(conn->wsi, bytes + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 1;
}
