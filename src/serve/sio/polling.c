// /socket.io/ over long polling: a GET waits for something to say, a POST brings packets.
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "serve/sio/sio.h"

static void refuse(struct lq_request *request, int number, const char *message)
{
    lq_metrics_count_error(&request->server->metrics, LQ_ERR_ARGUMENT);
    lq_buf_clear(&request->text);
    (void)!lq_buf_printf(&request->text, "{\"code\":%d,\"message\":\"%s\"}", number, message);
    lq_request_answer_text(request, 400, "application/json");
}

// A packet more in a payload: after a separator, or in Engine.IO 3 after its length.
static int add_head(const struct lq_sio *sio, struct lq_buf *out, size_t units)
{
    if (sio->version == 3)
        return lq_buf_printf(out, "%zu:", units);
    return out->len ? lq_buf_append(out, "\x1e", 1) : LQ_OK;
}

static int add_packet(const struct lq_sio *sio, struct lq_buf *out, const void *bytes, size_t len)
{
    int status = add_head(sio, out, sio->version == 3 ? lq_eio3_units(bytes, len) : 0);
    return status == LQ_OK ? lq_buf_append(out, bytes, len) : status;
}

void lq_sio_end_poll(struct lq_sio *sio, const char *packet)
{
    struct lq_request *request = sio->poll;
    sio->poll = NULL;
    request->state = NULL;
    lq_buf_clear(&request->text);
    (void)!add_packet(sio, &request->text, packet, strlen(packet));
    lq_request_answer_text(request, 200, "text/plain; charset=UTF-8");
}

static void start_session(struct lq_request *request)
{
    struct lq_error error;
    struct lq_sio *sio = lq_sio_new(request->server, request->http, &error);
    char text[256];
    if (!sio) {
        lq_request_fail(request, &error);
        return;
    }
    if (lq_sio_greet(sio) != LQ_OK) {
        lq_sio_end(sio);
        lq_request_fail_as(request, 503, LQ_ERR_MEMORY, "out of memory");
        return;
    }
    int len = lq_sio_print_open(sio, true, text, sizeof text);
    // For balancers: they can remember a header, not what stands in a body (deploy/haproxy.cfg).
    lq_request_add_header(request, "x-engineio-sid: %s", sio->sid);
    (void)!add_packet(sio, &request->text, text, (size_t)len);
    lq_request_answer_text(request, 200, "text/plain; charset=UTF-8");
}

static void start_poll(struct lq_request *request, struct lq_sio *sio)
{
    if (sio->poll)
        lq_sio_end_poll(sio, "6");
    sio->poll = request;
    request->state = sio;
    lq_charge_begin(&request->held, sio->session->holder);
    lq_request_wait(request);
    // While a socket is being probed the client wants its poll back soon.
    if (sio->link)
        (void)!lq_outbox_printf(&sio->outbox, "6");
    lq_sio_flush(sio);
}

void lq_sio_http_start(struct lq_request *request)
{
    char sid[LQ_SIO_SID_SIZE] = "", transport[16] = "";
    const struct lq_http *http = request->http;
    lq_request_add_header(request, "cache-control: no-store");
    if (!lq_sio_version(http)) {
        refuse(request, 5, "Unsupported protocol version");
        return;
    }
    if (!lq_http_query(http, "transport", transport, sizeof transport) ||
        strcmp(transport, "polling") != 0) {
        refuse(request, 0, "Transport unknown");
        return;
    }
    bool named = lq_http_query(http, "sid", sid, sizeof sid);
    if (!named && request->method == LQ_HTTP_GET) {
        start_session(request);
        return;
    }
    struct lq_sio *sio = named ? lq_sio_find(request->server, sid) : NULL;
    if (!sio || sio->on_socket) {
        refuse(request, sio ? 3 : named ? 1 : 2,
               sio ? "Bad request" : named ? "Session ID unknown" : "Bad handshake method");
        return;
    }
    if (request->method == LQ_HTTP_POST && sio->post) {
        refuse(request, 3, "Bad request");
    } else if (request->method == LQ_HTTP_POST) {
        sio->post = request;
        snprintf(request->name, sizeof request->name, "%s", sid);
        request->body = &request->text;
        lq_charge_begin(&request->held, sio->session->holder);
        request->body_max = LQ_MESSAGE_BYTES_MAX;
    } else {
        start_poll(request, sio);
    }
}

// The next packet of a payload: 1, 0 at the end, or SYNTAX. *raw: binary, past its type.
static int next_packet(const struct lq_sio *sio, const char **at, const char *end,
                       const char **text, size_t *len, bool *raw)
{
    *raw = false;
    if (sio->version != 3)
        return lq_eio_next(at, end, text, len);
    int status = lq_eio3_next(at, end, text, len, raw);
    if (status == 1 && *raw && ((*len)--, *(*text)++ != 4))
        return LQ_ERR_SYNTAX;
    return status;
}

// The packets of a POST. A frame's text is moved to a buffer of its own first.
static int read_payload(struct lq_sio *sio, const struct lq_buf *body)
{
    const char *at = (const char *)body->data, *end = at + body->len, *text;
    size_t len;
    bool raw;
    struct lq_buf said;
    lq_buf_init(&said, LQ_BODY_BYTES_MAX);
    int status = body->len ? LQ_OK : LQ_ERR_SYNTAX, packets = 0;
    while (status == LQ_OK && (status = next_packet(sio, &at, end, &text, &len, &raw)) == 1) {
        status = LQ_OK;
        lq_buf_clear(&said);
        bool binary = len > 0 && text[0] == 'b';
        if (++packets > LQ_PACKETS_MAX) // each costs the loop time that other clients wait for
            status = LQ_ERR_TOO_LARGE;
        if (raw && status == LQ_OK) {
            status = lq_sio_hear_binary(sio, text, len, false);
            continue;
        }
        if (!binary && status == LQ_OK)
            status = lq_buf_append(&said, text, len);
        if (status == LQ_OK)
            status = lq_sio_hear(sio, binary ? text : (const char *)said.data, len, &said);
    }
    lq_buf_release(&said);
    return status;
}

void lq_sio_http_body_done(struct lq_request *request)
{
    // The session may have ended while the body came.
    struct lq_sio *sio = lq_sio_find(request->server, request->name);
    if (!sio) {
        refuse(request, 1, "Session ID unknown");
        return;
    }
    sio->post = NULL;
    int status = read_payload(sio, request->body);
    request->body = NULL;
    lq_buf_release(&request->text);
    lq_charge_set(&request->held, 0);
    if (status == LQ_OK)
        lq_sio_flush(sio);
    else
        lq_sio_end(sio);
    if (status == LQ_OK || status == LQ_ERR_TIMEOUT)
        lq_request_answer(request, 200, "text/html", "ok", 2);
    else
        refuse(request, 3, "Bad request");
}

// A picture as text: "b" and base64, in Engine.IO 3 "b4" in the place of its type.
static int add_picture(const struct lq_sio *sio, struct lq_buf *out, const uint8_t *bytes,
                       size_t len)
{
    size_t type = sio->version == 3;
    int status = add_head(sio, out, 2 + lq_base64_size(len - type));
    if (status == LQ_OK)
        status = lq_buf_append(out, "b4", 1 + type);
    return status == LQ_OK ? lq_base64_encode(bytes + type, len - type, out) : status;
}

static int add_reply(const struct lq_sio *sio, struct lq_buf *out, const struct lq_slot *slot)
{
    int status = LQ_OK;
    for (int i = slot->part_next; i < slot->part_count && status == LQ_OK; i++) {
        const struct lq_part *part = &slot->parts[i];
        status = part->picture
                     ? add_picture(sio, out, slot->picture.data + part->at, part->len)
                     : add_packet(sio, out, slot->message.data + part->at, part->len);
    }
    return status;
}

void lq_sio_http_look(struct lq_request *request)
{
    struct lq_sio *sio = request->state;
    if (!sio || !lq_sio_has_news(sio))
        return;
    struct lq_buf *out = &request->text;
    size_t len;
    const uint8_t *message;
    int status = LQ_OK;
    lq_buf_clear(out);
    while (status == LQ_OK && (message = lq_outbox_next(&sio->outbox, &len)))
        status = add_packet(sio, out, message, len);
    const struct lq_slot *slot = lq_session_reply(sio->session);
    if (slot && status == LQ_OK) {
        status = add_reply(sio, out, slot);
        lq_server_count_out(sio->server, LQ_VIA_SIO, slot);
        lq_session_release(sio->session);
    }
    sio->poll = NULL;
    request->state = NULL;
    lq_charge_set(&request->held, out->cap);
    if (status == LQ_OK)
        lq_request_answer_text(request, 200, "text/plain; charset=UTF-8");
    else
        refuse(request, 3, "Bad request");
}

void lq_sio_http_gone(struct lq_request *request)
{
    struct lq_sio *sio = request->state;
    if (sio && sio->poll == request)
        sio->poll = NULL;
    const struct lq_server *server = request->server;
    struct lq_sio *named = *request->name ? lq_sio_find(server, request->name) : NULL;
    if (named && named->post == request)
        named->post = NULL;
}
