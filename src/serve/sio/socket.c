#include "serve/sio/socket.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "serve/live/reply.h"
#include "serve/message/receive.h"
#include "serve/sio/packet.h"

// Handles a text message while the socket is only being probed. False: it violates the protocol.
static bool on_probe(struct lq_sio_link *link)
{
    struct lq_sio *sio = link->sio;
    const char *text = (const char *)link->message.data;
    if (link->message.len == 6 && memcmp(text, "2probe", 6) == 0) {
        if (sio->poll && lq_outbox_printf(&sio->outbox, "6") == LQ_OK)
            lq_sio_flush(sio);
        return lq_ws_send_copy(link->ws, LQ_WS_TEXT, "3probe", 6) == LQ_OK;
    }
    if (link->message.len != 1 || text[0] != '5')
        return false;
    if (sio->poll)
        lq_sio_end_poll(sio, "6");
    sio->on_socket = true;
    lq_sio_flush(sio);
    return true;
}

// Handles a complete message. False: the client violates the protocol, or disconnects.
static bool on_whole(struct lq_sio_link *link, bool text)
{
    struct lq_sio *sio = link->sio;
    if (!sio->on_socket)
        return text && on_probe(link);
    const char *bytes = (const char *)link->message.data;
    size_t type = sio->version == 3 && !text; // the type byte of a binary message
    if (type && (link->message.len == 0 || bytes[0] != 4))
        return false;
    int status = text ? lq_sio_receive(sio, bytes, link->message.len, &link->message)
                      : lq_sio_receive_binary(sio, bytes + type, link->message.len - type, false);
    lq_charge_set(&link->held, link->message.cap); // a frame's memory now belongs to its slot
    if (status == LQ_OK)
        lq_sio_flush(sio);
    return status == LQ_OK;
}

static void close_with(struct lq_sio_link *link, int status)
{
    lq_metrics_count_error(link->all->metrics, status);
    lq_ws_close(link->ws, lq_status_ws_close(status), NULL);
}

static uint8_t *on_room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    struct lq_sio_link *link = lq_ws_state(ws);
    if (piece->first)
        lq_buf_clear(&link->message);
    if (piece->coming > LQ_MESSAGE_BYTES_MAX - link->message.len) {
        close_with(link, LQ_ERR_TOO_LARGE);
        return NULL;
    }
    uint8_t *room = lq_receive_room(&link->message, piece->coming, size);
    if (!room)
        close_with(link, LQ_ERR_MEMORY);
    return room;
}

static void on_received(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last)
{
    struct lq_sio_link *link = lq_ws_state(ws);
    if (!link->sio)
        return;
    if (piece->first && len == 0) // an empty message
        lq_buf_clear(&link->message);
    link->message.len += len;
    if (!lq_charge_grow(&link->held, link->message.len))
        close_with(link, LQ_ERR_BUSY);
    else if (last && !on_whole(link, piece->kind == LQ_WS_TEXT))
        lq_ws_kill(ws); // closing ends the session
}

static void on_writable(struct lq_ws *ws)
{
    struct lq_sio_link *link = lq_ws_state(ws);
    struct lq_sio *sio = link->sio;
    if (!sio || !sio->on_socket || lq_ws_is_closing(ws))
        return;
    size_t len;
    const uint8_t *message = NULL;
    // A reply of several messages must not be interrupted.
    const struct lq_frame_slot *reply = lq_session_reply(sio->session);
    if (!reply || reply->part_next == 0)
        message = lq_outbox_next(&sio->outbox, &len);
    bool sent = message ? lq_ws_send_copy(ws, LQ_WS_TEXT, message, len) == LQ_OK
                        : lq_reply_send(ws, sio->session);
    if (!sent)
        lq_ws_kill(ws);
    else if (message)
        lq_sio_flush(sio);
}

static void on_sent(struct lq_ws *ws)
{
    struct lq_sio_link *link = lq_ws_state(ws);
    if (!link->sio)
        return;
    lq_reply_sent(link->all->admission, LQ_VIA_SIO, link->sio->session);
    lq_sio_flush(link->sio);
}

static void on_closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    struct lq_sio_link *link = lq_ws_state(ws);
    (void)code;
    if (end == LQ_END_SLOW)
        lq_metrics_count_error(link->all->metrics, LQ_ERR_TIMEOUT);
    if (link->sio) {
        struct lq_sio *sio = link->sio;
        sio->link = NULL;
        // After a failed probe the client continues polling.
        if (sio->on_socket)
            lq_sio_end(sio);
    }
    lq_buf_release(&link->message);
    lq_charge_end(&link->held);
    free(link);
}

static const struct lq_ws_handler handler = {.room = on_room, .received = on_received,
                                             .writable = on_writable, .sent = on_sent,
                                             .closed = on_closed};

// ---- its opening -------------------------------------------------------------------------------

static void refuse(struct lq_sio_clients *all, struct lq_http_request *http, const char *why)
{
    struct lq_error error;
    lq_fail(&error, LQ_ERR_ARGUMENT, "%s", why);
    lq_web_refuse(all->web, http, 400, NULL, &error);
}

// Creates the socket for a request whose client is `sio`; NULL: refused, and an error was sent.
static struct lq_sio_link *open_link(struct lq_sio_clients *all, struct lq_http_request *http,
                                     struct lq_sio *sio)
{
    struct lq_sio_link *link = calloc(1, sizeof *link);
    if (link) {
        link->all = all;
        link->sio = sio;
        lq_buf_init(&link->message, LQ_BODY_BYTES_MAX);
        lq_charge_begin(&link->held, sio ? sio->session->holder : NULL);
        link->ws = lq_http_upgrade(http, NULL, NULL, &handler, link);
    }
    if (link && link->ws)
        return link;
    if (link)
        lq_charge_end(&link->held);
    free(link);
    lq_http_kill(http);
    return NULL;
}

static void open_new(struct lq_sio_clients *all, struct lq_http_request *http)
{
    struct lq_error refused;
    char text[256];
    struct lq_sio *sio = lq_sio_new(all, http, &refused);
    struct lq_sio_link *link = open_link(all, http, sio);
    if (link && !sio && all->admission->drain_from_us) {
        lq_ws_close(link->ws, 1001, NULL);
    } else if (link && !sio) {
        close_with(link, refused.status);
    } else if (link) {
        sio->link = link;
        sio->on_socket = true;
        int len = lq_sio_print_open(sio, false, text, sizeof text);
        if (lq_ws_send_copy(link->ws, LQ_WS_TEXT, text, (size_t)len) != LQ_OK ||
            lq_sio_greet(sio) != LQ_OK)
            lq_ws_kill(link->ws);
        else
            lq_sio_flush(sio);
    } else if (sio) {
        lq_sio_end(sio);
    }
}

void lq_sio_upgrade(void *context, struct lq_http_request *http)
{
    struct lq_sio_clients *all = context;
    char sid[LQ_SIO_SID_SIZE] = "";
    bool named = lq_http_query(http, "sid", sid, sizeof sid);
    struct lq_sio *sio = named ? lq_sio_find(all, sid) : NULL;
    if (!lq_sio_version(http))
        refuse(all, http, "only EIO=4 and EIO=3 are supported");
    else if (named && (!sio || sio->link))
        refuse(all, http, sio ? "this session already has a WebSocket" : "this session is not "
                                                                         "known");
    else if (named)
        sio->link = open_link(all, http, sio);
    else
        open_new(all, http);
}
