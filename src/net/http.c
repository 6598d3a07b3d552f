// An HTTP/1.1 connection: heads, bodies, one request after the other.
#include <stdlib.h>
#include <string.h>

#include "net/http_request.h"

static const struct lq_http_handler *handler_of(const struct lq_http_request *http)
{
    return lq_http_handler_of(http->conn);
}

// Finishes a request: the connection is ready for the next one.
static void start_next(struct lq_conn *conn)
{
    struct lq_http_request *http = conn->state;
    conn->state = NULL;
    lq_loop_free_later(conn->net->loop, &http->garbage);
    conn->scan = (struct lq_http_scan){0};
    conn->served = true;
    conn->short_of_input = false;
    if (conn->input_ended && !conn->held_len)
        lq_conn_close(conn);
    else
        lq_conn_set_deadline(conn, lq_conn_limits(conn)->keepalive_ms);
    lq_conn_work(conn);
}

// ---- bodies ------------------------------------------------------------------------------------

// Called after bytes of the body have arrived, or at once if there are none.
static void on_progress(struct lq_http_request *http)
{
    struct lq_conn *conn = http->conn;
    if (!http->body.whole) {
        if (http->body.received > lq_conn_limits(conn)->discard_bytes &&
            (http->answered || http->unwanted))
            lq_conn_end(conn, LQ_END_BROKEN);
        return;
    }
    if (!http->body_reported) {
        http->body_reported = true;
        lq_conn_set_deadline(conn, 0);
        if (!http->answered && handler_of(http)->body_done)
            handler_of(http)->body_done(http);
    }
    if (http->over)
        start_next(conn);
}

static uint8_t *place_for(struct lq_http_request *http, size_t *size)
{
    uint64_t payload = lq_http_body_payload(&http->body);
    size_t coming = payload < SIZE_MAX ? (size_t)payload : SIZE_MAX;
    if (http->answered || http->unwanted || !handler_of(http)->room)
        return NULL;
    uint8_t *place = handler_of(http)->room(http, coming, size);
    http->unwanted = place == NULL;
    if (*size > coming)
        *size = coming;
    return http->answered ? NULL : place;
}

static void consume(struct lq_http_request *http, size_t len, bool placed)
{
    lq_http_body_consume(&http->body, len);
    if (placed && handler_of(http)->received)
        handler_of(http)->received(http, len);
}

static size_t consume_payload(struct lq_http_request *http, const uint8_t *bytes, size_t len)
{
    uint64_t payload = lq_http_body_payload(&http->body);
    size_t size = 0;
    if (len > payload)
        len = (size_t)payload;
    uint8_t *place = place_for(http, &size);
    if (place && len > size)
        len = size;
    if (place)
        memcpy(place, bytes, len);
    consume(http, len, place != NULL);
    return len;
}

static bool wants(const struct lq_conn *conn)
{
    const struct lq_http_request *http = conn->state;
    return !http || !http->body.whole;
}

static size_t consume_body(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_http_request *http = conn->state;
    size_t at = 0;
    while (at < len && conn->state == http && !conn->ending && !conn->closing && wants(conn)) {
        ptrdiff_t framing = lq_http_body_frame(&http->body, bytes + at, len - at);
        if (framing < 0) {
            lq_http_refuse(conn, http, 400, "the body's chunks are malformed");
            return len;
        }
        at += (size_t)framing;
        if (at < len && lq_http_body_payload(&http->body) > 0)
            at += consume_payload(http, bytes + at, len - at);
        on_progress(http);
    }
    return at;
}

static uint8_t *room(struct lq_conn *conn, size_t *size)
{
    struct lq_http_request *http = conn->state;
    return http && lq_http_body_payload(&http->body) > 0 ? place_for(http, size) : NULL;
}

static void on_payload(struct lq_conn *conn, uint8_t *bytes, size_t len)
{
    struct lq_http_request *http = conn->state;
    (void)bytes;
    consume(http, len, true);
    on_progress(http);
}

// ---- heads -------------------------------------------------------------------------------------

// RFC 9110 section 10.1.1: send 100 Continue only if the body is wanted.
static void send_continue(struct lq_http_request *http)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (http->expects_continue && !http->answered && !http->body.whole && handler_of(http)->room)
        lq_conn_write(http->conn, text, sizeof text - 1, NULL, 0);
}

static void begin(struct lq_conn *conn, struct lq_http_request *http)
{
    conn->state = http;
    lq_conn_set_deadline(conn, http->body.whole ? 0 : lq_conn_limits(conn)->body_ms);
    http->body_reported = !http->has_body;
    handler_of(http)->request(http);
    if (conn->state != http || conn->ending)
        return; // it has become a WebSocket
    send_continue(http);
    if (http->has_body)
        on_progress(http);
}

// Parses a complete head. Returns the number of bytes consumed: all of them if it is refused.
static size_t read_head(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_http_request_head head;
    const char *why;
    size_t size = conn->scan.at;
    int code = lq_http_head_read(&head, bytes, size, &why);
    struct lq_http_request *http = code == 0 ? lq_http_request_new(conn, &head, bytes,
                                                                   &code) : NULL;
    if (!http) {
        lq_http_refuse(conn, NULL, code, code == 503 ? "out of memory" : code == 400 && !why
                                                      ? "the path has a malformed %XX" : why);
        return len;
    }
    begin(conn, http);
    return size;
}

static size_t input(struct lq_conn *conn, uint8_t *bytes, size_t len)
{
    int code;
    const char *why;
    if (conn->state)
        return consume_body(conn, bytes, len);
    if (conn->scan.at == 0 && conn->served) // the first bytes of a next request
        lq_conn_set_deadline(conn, lq_conn_limits(conn)->handshake_ms);
    switch (lq_http_scan(&conn->scan, bytes, len, lq_conn_limits(conn)->head_bytes, &code, &why)) {
    case LQ_HTTP_WHOLE:
        return read_head(conn, bytes, len);
    case LQ_HTTP_MORE:
        if (conn->input_ended)
            lq_conn_end(conn, LQ_END_PEER);
        return 0;
    default:
        lq_http_refuse(conn, NULL, code, why);
        return len;
    }
}

// ---- the connection's events -------------------------------------------------------------------

static void on_ended(struct lq_conn *conn)
{
    const struct lq_http_request *http = conn->state;
    if (!http && !conn->held_len)
        lq_conn_close(conn);
    else if (!http || !http->body.whole)
        lq_conn_end(conn, LQ_END_PEER);
}

// All written output has been passed to the kernel.
static void on_drained(struct lq_conn *conn)
{
    struct lq_http_request *http = conn->state;
    if (!http || !http->answered || http->over)
        return;
    http->over = true;
    if (handler_of(http)->gone)
        handler_of(http)->gone(http, true, LQ_END_DONE);
    if (http->hang_up) {
        conn->state = NULL;
        lq_loop_free_later(conn->net->loop, &http->garbage);
        lq_conn_close(conn);
    } else if (http->body.whole) {
        start_next(conn);
    }
}

static void on_deadline(struct lq_conn *conn)
{
    struct lq_http_request *http = conn->state;
    bool slow = conn->held_len || (!conn->served && !conn->net->draining);
    if (!http && slow)
        lq_conn_end(conn, LQ_END_SLOW);
    else if (!http || http->over)
        lq_conn_close(conn);
    else if (http->answered || http->body.whole)
        lq_conn_end(conn, LQ_END_SLOW);
    else
        lq_http_refuse(conn, http, 408, "the body did not arrive in time");
}

static void on_closed(struct lq_conn *conn, enum lq_net_end end)
{
    struct lq_http_request *http = conn->state;
    conn->state = NULL;
    if (!http)
        return;
    if (!http->over && handler_of(http)->gone)
        handler_of(http)->gone(http, false, end);
    lq_loop_free_later(conn->net->loop, &http->garbage);
}

const struct lq_protocol lq_http_protocol = {
    .input = input,
    .wants = wants,
    .room = room,
    .received = on_payload,
    .ended = on_ended,
    .drained = on_drained,
    .deadline = on_deadline,
    .closed = on_closed,
    .read_max = 16 * 1024,
};
