// /socket.io/ over WebSocket, from the start or after a probe beside the polling.
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "serve/sio.h"

int lq_sio_upgrade(struct lq_conn *conn)
{
    char sid[LQ_SIO_SID_SIZE] = "";
    struct lq_sio *sio = NULL;
    bool named = lq_query(conn->wsi, "sid=", sid, sizeof sid);
    if (!lq_sio_version(conn))
        return -1;
    if (named) {
        sio = lq_sio_find(conn->server, sid);
        if (!sio || sio->link)
            return -1;
    }
    struct lq_sio_link *link = calloc(1, sizeof *link);
    if (!link)
        return -1;
    link->conn = conn;
    lq_buf_init(&link->said, LQ_BODY_BYTES_MAX);
    link->sio = named ? sio : lq_sio_new(conn, &link->refused);
    if (link->sio) {
        link->sio->link = link;
        link->sio->on_socket = !named;
    }
    lq_conn_set(conn, &lq_sio_ops, link);
    return 0;
}

static int on_established(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    char text[256];
    if (link->sio && link->sio->on_socket) {
        int len = lq_sio_print_open(link->sio, false, text, sizeof text);
        if (lq_outbox_add(&link->sio->outbox, text, (size_t)len) != LQ_OK ||
            lq_sio_greet(link->sio) != LQ_OK)
            return -1;
    }
    lws_callback_on_writable(conn->wsi);
    return 0;
}

// A text message while the socket is only being tried out.
static int on_probe(struct lq_sio_link *link)
{
    struct lq_sio *sio = link->sio;
    const char *text = (const char *)link->said.data;
    if (link->said.len == 6 && memcmp(text, "2probe", 6) == 0) {
        link->pong_due = true;
        if (sio->poll && lq_outbox_printf(&sio->outbox, "6") == LQ_OK)
            lq_sio_flush(sio);
    } else if (link->said.len == 1 && text[0] == '5') {
        if (sio->poll) {
            lq_sio_end_poll(sio, "6");
        }
        sio->on_socket = true;
    } else {
        return -1;
    }
    lws_callback_on_writable(link->conn->wsi);
    return 0;
}

static int on_whole(struct lq_sio_link *link)
{
    struct lq_sio *sio = link->sio;
    if (!sio->on_socket)
        return link->text ? on_probe(link) : -1;
    const char *bytes = (const char *)link->said.data;
    size_t type = sio->version == 3 && !link->text; // a byte that says what binary is
    if (type && (link->said.len == 0 || bytes[0] != 4))
        return -1;
    int status = link->text ? lq_sio_hear(sio, bytes, link->said.len, &link->said)
                            : lq_sio_hear_binary(sio, bytes + type, link->said.len - type, false);
    if (status != LQ_OK)
        return -1; // closing ends the session
    lq_sio_flush(sio);
    return 0;
}

static int on_receive(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_sio_link *link = conn->state;
    if (!link->sio)
        return -1;
    if (lws_is_first_fragment(conn->wsi)) {
        link->text = !lws_frame_is_binary(conn->wsi);
        lq_buf_clear(&link->said);
    }
    size_t coming = len + lws_remaining_packet_payload(conn->wsi);
    if (coming > LQ_MESSAGE_BYTES_MAX - link->said.len) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_TOO_LARGE);
        lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (!lq_server_hold(conn->server, link->sio->session, len)) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_BUSY);
        lws_close_reason(conn->wsi, (enum lws_close_status)lq_status_ws_close(LQ_ERR_BUSY), NULL,
                         0);
        return -1;
    }
    if (lq_buf_reserve(&link->said, link->said.len + coming) != LQ_OK ||
        lq_buf_append(&link->said, bytes, len) != LQ_OK)
        return -1;
    return lws_is_final_fragment(conn->wsi) ? on_whole(link) : 0;
}

static int on_writable(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    struct lq_sio *sio = link->sio;
    if (!sio) {
        int code = conn->server->drain_from_us ? LWS_CLOSE_STATUS_GOINGAWAY
                                               : lq_status_ws_close(link->refused.status);
        lws_close_reason(conn->wsi, (enum lws_close_status)code, NULL, 0);
        return -1;
    }
    int pinged = lq_conn_send_ping(conn);
    if (pinged != 0)
        return pinged < 0 ? -1 : 0;
    if (link->pong_due) {
        uint8_t text[LWS_PRE + 6];
        memcpy(text + LWS_PRE, "3probe", 6);
        link->pong_due = false;
        return lws_write(conn->wsi, text + LWS_PRE, 6, LWS_WRITE_TEXT) < 0 ? -1 : 0;
    }
    if (!sio->on_socket)
        return 0;
    size_t len;
    uint8_t *message = NULL;
    // A reply of several messages must not be interrupted.
    const struct lq_slot *reply = lq_session_reply(sio->session);
    if (!reply || reply->part_next == 0)
        message = lq_outbox_next(&sio->outbox, &len);
    int sent = message ? (lws_write(conn->wsi, message, len, LWS_WRITE_TEXT) < 0 ? -1 : 1)
                       : lq_conn_send_reply(conn, LQ_VIA_SIO, sio->session);
    if (sent < 0)
        return -1;
    lq_sio_flush(sio);
    return 0;
}

static void on_closed(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    if (link->sio) {
        struct lq_sio *sio = link->sio;
        sio->link = NULL;
        // A probe that failed leaves the client where it was: polling.
        if (sio->on_socket)
            lq_sio_end(sio);
    }
    lq_buf_release(&link->said);
    free(link);
}

const struct lq_conn_ops lq_sio_ops = {
    .established = on_established,
    .receive = on_receive,
    .writable = on_writable,
    .tick = lq_conn_tick_ping,
    .closed = on_closed,
};
