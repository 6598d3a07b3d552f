#include "serve/sio/polling.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "serve/http/headers.h"
#include "serve/sio/engineio.h"
#include "serve/sio/packet.h"
#include "serve/sio/payload.h"

static struct lq_sio_clients *clients_of(const struct lq_web_request *request)
{
    return request->route->context;
}

static void refuse(struct lq_web_request *request, int number, const char *message)
{
    lq_metrics_count_error(request->web->metrics, LQ_ERR_ARGUMENT);
    lq_buf_clear(&request->text);
    (void)!lq_buf_printf(&request->text, "{\"code\":%d,\"message\":\"%s\"}", number, message);
    lq_web_respond_text(request, 400, "application/json");
}

static void start_session(struct lq_web_request *request)
{
    struct lq_error error;
    struct lq_sio *sio = lq_sio_new(clients_of(request), request->http, &error);
    char text[256];
    if (!sio) {
        lq_web_fail(request, &error);
        return;
    }
    if (lq_sio_greet(sio) != LQ_OK) {
        lq_sio_end(sio);
        lq_web_fail_as(request, 503, LQ_ERR_MEMORY, "out of memory");
        return;
    }
    int len = lq_sio_print_open(sio, true, text, sizeof text);
    // For load balancers, which can store a header but not part of a body (deploy/haproxy.cfg).
    lq_web_add_header(request, "x-engineio-sid: %s", sio->sid);
    (void)!lq_sio_payload_add(&request->text, sio->version, text, (size_t)len);
    lq_web_respond_text(request, 200, "text/plain; charset=UTF-8");
}

static void start_poll(struct lq_web_request *request, struct lq_sio *sio)
{
    if (sio->poll)
        lq_sio_end_poll(sio, "6");
    sio->poll = request;
    request->state = sio;
    lq_charge_begin(&request->held, sio->session->holder);
    lq_web_wait(request);
    // While a socket is being probed, the client expects its poll to end soon.
    if (sio->link)
        (void)!lq_outbox_printf(&sio->outbox, "6");
    lq_sio_flush(sio);
}

void lq_sio_polling_start(struct lq_web_request *request)
{
    char sid[LQ_SIO_SID_SIZE] = "", transport[16] = "";
    const struct lq_http_request *http = request->http;
    lq_web_add_header(request, "cache-control: no-store");
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
    struct lq_sio *sio = named ? lq_sio_find(clients_of(request), sid) : NULL;
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

// Reads the next packet of a payload: 1, 0 at the end, or SYNTAX. *raw: it is binary; its type has
// been skipped.
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

// Handles the packets of a POST. A frame's text is moved to its own buffer first.
static int read_payload(struct lq_sio *sio, const struct lq_buf *body)
{
    const char *at = (const char *)body->data, *end = at + body->len, *text;
    size_t len;
    bool raw;
    struct lq_buf message;
    lq_buf_init(&message, LQ_BODY_BYTES_MAX);
    int status = body->len ? LQ_OK : LQ_ERR_SYNTAX, packets = 0;
    while (status == LQ_OK && (status = next_packet(sio, &at, end, &text, &len, &raw)) == 1) {
        status = LQ_OK;
        lq_buf_clear(&message);
        bool binary = len > 0 && text[0] == 'b';
        if (++packets > LQ_PACKETS_MAX) // each takes loop time while other clients wait
            status = LQ_ERR_TOO_LARGE;
        if (raw && status == LQ_OK) {
            status = lq_sio_receive_binary(sio, text, len, false);
            continue;
        }
        if (!binary && status == LQ_OK)
            status = lq_buf_append(&message, text, len);
        if (status == LQ_OK)
            status = lq_sio_receive(sio, binary ? text : (const char *)message.data, len, &message);
    }
    lq_buf_release(&message);
    return status;
}

void lq_sio_polling_body_done(struct lq_web_request *request)
{
    // The session may have ended while the body arrived.
    struct lq_sio *sio = lq_sio_find(clients_of(request), request->name);
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
        lq_web_respond(request, 200, "text/html", "ok", 2);
    else
        refuse(request, 3, "Bad request");
}

static int add_reply(const struct lq_sio *sio, struct lq_buf *out, const struct lq_frame_slot *slot)
{
    int status = LQ_OK;
    for (int i = slot->part_next; i < slot->part_count && status == LQ_OK; i++) {
        const struct lq_part *part = &slot->parts[i];
        status = part->picture
                     ? lq_sio_payload_add_picture(out, sio->version, slot->picture.data + part->at,
                                                  part->len)
                     : lq_sio_payload_add(out, sio->version, slot->message.data + part->at,
                                          part->len);
    }
    return status;
}

void lq_sio_polling_wake(struct lq_web_request *request)
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
        status = lq_sio_payload_add(out, sio->version, message, len);
    const struct lq_frame_slot *slot = lq_session_reply(sio->session);
    if (slot && status == LQ_OK) {
        status = add_reply(sio, out, slot);
        lq_admission_count_out(sio->all->admission, LQ_VIA_SIO, slot);
        lq_session_release(sio->session);
    }
    sio->poll = NULL;
    request->state = NULL;
    lq_charge_set(&request->held, out->cap);
    if (status == LQ_OK)
        lq_web_respond_text(request, 200, "text/plain; charset=UTF-8");
    else
        refuse(request, 3, "Bad request");
}

void lq_sio_polling_closed(struct lq_web_request *request)
{
    struct lq_sio *sio = request->state;
    if (sio && sio->poll == request)
        sio->poll = NULL;
    struct lq_sio *named =
        *request->name ? lq_sio_find(clients_of(request), request->name) : NULL;
    if (named && named->post == request)
        named->post = NULL;
}
