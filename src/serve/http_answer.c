// How an HTTP request is answered, from its first header to the end of its connection.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "serve/answer.h"
#include "serve/cors.h"
#include "serve/http.h"

enum { LINGER_S = 2 }; // for a refused client to read its answer

void lq_request_add_header(struct lq_request *request, const char *format, ...)
{
    size_t len = strlen(request->headers);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(request->headers + len, sizeof request->headers - len, format, args);
    va_end(args);
    // Half a header would be worse than none.
    if (size < 0 || (size_t)size + 2 >= sizeof request->headers - len)
        request->headers[len] = 0;
    else
        memcpy(request->headers + len + size, "\r\n", 3);
}

void lq_request_answer(struct lq_request *request, int code, const char *type, const void *bytes,
                       size_t len)
{
    if (request->code)
        return;
    request->code = code;
    request->type = type;
    request->out = bytes;
    request->out_len = len;
    request->since_us = lq_clock_us();
    if (request->waiting)
        lq_request_wake(request);
    else
        lws_callback_on_writable(request->conn->wsi);
}

void lq_request_answer_text(struct lq_request *request, int code, const char *type)
{
    lq_request_answer(request, code, type, request->text.data, request->text.len);
}

void lq_request_fail(struct lq_request *request, const struct lq_error *error)
{
    lq_metrics_count_error(&request->conn->server->metrics, error->status);
    lq_buf_clear(&request->text);
    if (lq_answer_http_error(&request->text, error) != LQ_OK)
        request->hang_up = true;
    if (error->status == LQ_ERR_BUSY || error->status == LQ_ERR_RATE)
        lq_request_add_header(request, "retry-after: %d",
                              request->retry_s ? request->retry_s : LQ_LOAD_RETRY_S);
    lq_request_answer_text(request, lq_status_http(error->status), "application/json");
}

void lq_request_fail_as(struct lq_request *request, int code, int status, const char *text)
{
    struct lq_error error;
    lq_fail(&error, status, "%s", text);
    lq_request_fail(request, &error);
    request->code = code;
}

void lq_request_wait(struct lq_request *request)
{
    request->waiting = true;
    lws_rx_flow_control(request->conn->wsi, 0);
    lws_set_timeout(request->conn->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LQ_WORK_S);
}

// "name: value\r\n" lines, one call each.
static int add_own_headers(struct lq_request *request, uint8_t **at, uint8_t *end)
{
    char name[64];
    for (char *line = request->headers; *line;) {
        char *colon = strchr(line, ':'), *stop = strstr(line, "\r\n");
        if (!colon || !stop || (size_t)(colon - line) + 2 > sizeof name)
            return -1;
        snprintf(name, sizeof name, "%.*s:", (int)(colon - line), line);
        const char *value = colon + 1 + (colon[1] == ' ');
        if (lws_add_http_header_by_name(request->conn->wsi, (const uint8_t *)name,
                                        (const uint8_t *)value, (int)(stop - value), at, end))
            return -1;
        line = stop + 2;
    }
    return 0;
}

static int send_headers(struct lq_request *request)
{
    uint8_t buffer[LWS_PRE + 4096];
    uint8_t *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof buffer - 1;
    struct lws *wsi = request->conn->wsi;
    lq_cors_add_headers(request);
    // What follows an unread body is best not read as a request (see on_body).
    if (!request->body_whole || request->conn->server->told_to_stop)
        request->hang_up = true;
    if (request->hang_up)
        lq_request_add_header(request, "connection: close");
    bool bare = request->code == 304 || request->code == 204; // no body, so no length of one
    if (bare ? lws_add_http_header_status(wsi, (unsigned)request->code, &at, end)
             : lws_add_http_common_headers(wsi, (unsigned)request->code, request->type,
                                           request->out_len, &at, end))
        return -1;
    const char *name, *value;
    for (int i = 0; lq_page_policy(request->conn->server->options, i, &name, &value); i++)
        if (value && *value && lws_add_http_header_by_name(wsi, (const uint8_t *)name,
                                                           (const uint8_t *)value,
                                                           (int)strlen(value), &at, end))
            return -1;
    if (add_own_headers(request, &at, end) || lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    request->headers_sent = true;
    return 0;
}

void lq_request_end(struct lq_conn *conn)
{
    struct lq_request *request = conn->state;
    lq_conn_set(conn, NULL, NULL);
    if (request->route->gone)
        request->route->gone(request);
    conn->server->requests_finished++;
    lq_buf_release(&request->text);
    lq_charge_end(&request->held);
    free(request);
}

// Whether bytes were read but not used: a request was pipelined behind this one. libwebsockets 4.1
// spins for ever when such a request has a body, so the connection ends after the first answer and
// the client sends the rest again on another (RFC 9112 section 9.3.2). Lets reading go on otherwise.
static bool has_unused_bytes(struct lws *wsi)
{
    lws_rx_flow_control(wsi, 1);
    // It is asked whether any connection has such bytes; at worst one is closed that had none.
    if (lws_service_adjust_timeout(lws_get_context(wsi), 1000, 0) != 0)
        return false;
    lws_rx_flow_control(wsi, 0);
    return true;
}

// All is sent: the connection is ready for its next request, or closed.
static int complete(struct lq_request *request)
{
    struct lq_conn *conn = request->conn;
    struct lws *wsi = conn->wsi;
    if (!request->body_whole) {
        // The client is still sending what was refused; it is read and forgotten, within bounds.
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, request->hang_up ? LINGER_S : 20);
        return 0;
    }
    bool hang_up = request->hang_up || has_unused_bytes(wsi);
    lq_request_end(conn);
    bool kept = lws_partial_buffered(wsi);
    if (kept)
        lq_conn_set_flushing(conn, true);
    if (hang_up || lws_http_transaction_completed(wsi))
        return -1;
    // Megabytes may be kept for a client that reads none of them; no tick sees it any more.
    if (kept)
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LQ_SLOW_READER_S);
    return 0;
}

static bool all_sent(const struct lq_request *request)
{
    return request->headers_sent &&
           (request->out_at == request->out_len || request->method == LWSHUMETH_HEAD ||
            request->code == 304);
}

int lq_request_body_came(struct lq_request *request)
{
    request->body_whole = true;
    return all_sent(request) ? complete(request) : 0;
}

int lq_request_on_writable(struct lq_conn *conn)
{
    struct lq_request *request = conn->state;
    if (!request->code && request->route->look)
        request->route->look(request);
    if (!request->code)
        return 0;
    if (!request->headers_sent) {
        if (send_headers(request) != 0)
            return -1;
        if (!all_sent(request)) {
            lws_callback_on_writable(conn->wsi);
            return 0;
        }
        return complete(request);
    }
    if (all_sent(request))
        return 0;
    size_t len = request->out_len - request->out_at;
    bool last = len <= LQ_SEND_BYTES;
    len = last ? len : LQ_SEND_BYTES;
    // HTTP/1.1 writes no framing, so the bytes may be read-only.
    uint8_t *bytes = (uint8_t *)(uintptr_t)(request->out + request->out_at);
    if (lws_write(conn->wsi, bytes, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    request->out_at += len;
    request->since_us = lq_clock_us();
    if (last)
        return complete(request);
    lws_callback_on_writable(conn->wsi);
    return 0;
}

void lq_request_wake(struct lq_request *request)
{
    // Written now, not when the socket calls for it: libwebsockets tells a connection that may not
    // read nothing of writing either, and it must not read before its answer is complete. What the
    // socket does not take at once the library keeps and sends.
    struct lq_conn *conn = request->conn;
    struct lws *wsi = conn->wsi;
    struct lq_server *server = conn->server;
    uint64_t before = server->requests_finished; // more of them: request and conn are freed
    int failed;
    if (request->sending)
        return; // `look` just answered
    request->sending = true;
    do
        failed = lq_request_on_writable(conn);
    while (!failed && server->requests_finished == before && request->code && !all_sent(request));
    if (server->requests_finished == before)
        request->sending = false;
    if (failed) // what the library still keeps for a slow reader goes out first
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE,
                        lws_partial_buffered(wsi) ? LQ_SLOW_READER_S : LWS_TO_KILL_ASYNC);
}
