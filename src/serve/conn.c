// What every kind of connection needs: who may open it, messages that wait, replies that go out.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "serve/server.h"
#include "serve/wire.h"

// The host and port of an origin: what follows "://".
static const char *authority(const char *origin)
{
    const char *slashes = strstr(origin, "://");
    return slashes ? slashes + 3 : origin;
}

bool lq_origin_allowed(const struct lq_server *server, struct lws *wsi, char *origin, size_t size,
                       bool *cross)
{
    char host[256];
    *cross = false;
    origin[0] = 0;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return true; // browsers always say; others are not led astray by pages
    if (lws_hdr_copy(wsi, origin, (int)size, WSI_TOKEN_ORIGIN) <= 0 ||
        lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0)
        return false;
    if (strcasecmp(authority(origin), host) == 0)
        return true;
    *cross = true;
    for (int i = 0; i < server->options->allow_origin_count; i++) {
        const char *allowed = server->options->allow_origins[i];
        if (strcmp(allowed, "*") == 0 || strcasecmp(allowed, origin) == 0)
            return true;
    }
    return false;
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

int lq_upgrade(struct lq_conn *conn, bool v1)
{
    char *path, origin[256];
    int len;
    bool cross;
    if (lws_http_get_uri_and_method(conn->wsi, &path, &len) != LWSHUMETH_GET)
        return -1;
    if (!lq_origin_allowed(conn->server, conn->wsi, origin, sizeof origin, &cross)) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_AUTH);
        lws_return_http_status(conn->wsi, HTTP_STATUS_FORBIDDEN, NULL);
        return -1;
    }
    if (strcmp(path, "/ws") == 0)
        return lq_live_upgrade(conn, v1);
    if (strcmp(path, "/socket.io/") == 0 || strcmp(path, "/socket.io") == 0)
        return lq_sio_upgrade(conn);
    lws_return_http_status(conn->wsi, HTTP_STATUS_NOT_FOUND, NULL);
    return -1;
}

// ---- messages that wait ------------------------------------------------------------------------

void lq_outbox_init(struct lq_outbox *outbox)
{
    lq_buf_init(&outbox->buf, LQ_OUTBOX_BYTES_MAX);
    outbox->at = 0;
}

void lq_outbox_release(struct lq_outbox *outbox)
{
    lq_buf_release(&outbox->buf);
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
