#include "serve/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "serve/access.h"
#include "serve/answer.h"

enum {
    GET = 1 << LWSHUMETH_GET | 1 << LWSHUMETH_HEAD,
    POST = 1 << LWSHUMETH_POST,
    DISCARD_BYTES_MAX = 64 * 1024 * 1024, // of a refused body, so that the client sees the answer
    BODY_ENDS_MAX = 1000,
    LINGER_S = 2,                         // for a refused client to read it
};

// Nothing from elsewhere, nothing inline; the camera for our own page alone.
static const struct { const char *name, *value; } security[] = {
    {"content-security-policy:",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
     "connect-src 'self' ws: wss:; media-src 'self' blob:; manifest-src 'self'; "
     "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"},
    {"x-content-type-options:", "nosniff"},
    {"referrer-policy:", "no-referrer"},
    {"permissions-policy:", "camera=(self), microphone=(), geolocation=()"},
    {"cross-origin-opener-policy:", "same-origin"},
};

// ---- routes ------------------------------------------------------------------------------------

static void start_health(struct lq_request *request)
{
    if (lq_server_is_stalled(request->conn->server))
        lq_request_answer(request, 503, "text/plain; charset=utf-8", "stalled\n", 8);
    else
        lq_request_answer(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void start_ready(struct lq_request *request)
{
    const struct lq_server *server = request->conn->server;
    const char *why = server->told_to_stop                                     ? "stopping\n"
                      : lq_server_is_stalled(server)                           ? "stalled\n"
                      : server->session_count >= server->options->sessions_max ? "full\n"
                                                                               : NULL;
    if (why)
        lq_request_answer(request, 503, "text/plain; charset=utf-8", why, strlen(why));
    else
        lq_request_answer(request, 200, "text/plain; charset=utf-8", "ready\n", 6);
}

static void start_metrics(struct lq_request *request)
{
    struct lq_error error;
    struct lq_server *server = request->conn->server;
    const struct lq_model_info *info = lq_model_info(server->model);
    const struct lq_gauges gauges = {
        .state = lq_workers_state(server->workers),
        .workers = server->options->workers,
        .sessions_max = server->options->sessions_max,
        .frame_bytes = server->held_bytes,
        .frame_bytes_max = server->options->frame_bytes_max,
        .busy_us = lq_load_busy_us(&server->load),
        .engine = info->engine,
        .model = info->name,
    };
    if (lq_metrics_print(&server->metrics, &gauges, &request->text) == LQ_OK &&
        lq_model_print_metrics(server->model, &request->text) == LQ_OK)
        lq_request_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8");
    else {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        lq_request_fail(request, &error);
    }
}

static const struct lq_route routes[] = {
    {"/healthz", GET, false, start_health, NULL, NULL, NULL},
    {"/readyz", GET, false, start_ready, NULL, NULL, NULL},
    {"/metrics", GET, true, start_metrics, NULL, NULL, NULL},
    {"/api/v1/info", GET, true, lq_api_info, NULL, NULL, NULL},
    {"/api/looks", GET, true, lq_api_looks, NULL, NULL, NULL},
    {"/api/v1/nails", POST, true, lq_api_start, lq_api_body_done, lq_api_look, lq_api_gone},
    {"/api/process", POST, true, lq_api_start, lq_api_body_done, lq_api_look, lq_api_gone},
    {"/api/process_base64", POST, true, lq_api_start, lq_api_body_done, lq_api_look, lq_api_gone},
    {"/socket.io/", GET | POST, true, lq_sio_http_start, lq_sio_http_body_done, lq_sio_http_look,
     lq_sio_http_gone},
    {"/socket.io", GET | POST, true, lq_sio_http_start, lq_sio_http_body_done, lq_sio_http_look,
     lq_sio_http_gone},
};

static void start_page(struct lq_request *request)
{
    (void)request; // lq_http_start hands the path to the page's files itself
}

// Any other path is a file of the page, or nothing.
static const struct lq_route page = {"", GET, true, start_page, NULL, NULL, NULL};

static const struct lq_route *find_route(const char *path)
{
    for (size_t i = 0; i < LQ_COUNT(routes); i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return &page;
}

// ---- answers -----------------------------------------------------------------------------------

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
    if (error->status == LQ_ERR_BUSY)
        lq_request_add_header(request, "retry-after: %d", LQ_LOAD_RETRY_S);
    lq_request_answer_text(request, lq_status_http(error->status), "application/json");
}

static void fail(struct lq_request *request, int code, int status, const char *text)
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
    if (*request->origin) {
        lq_request_add_header(request, "access-control-allow-origin: %s", request->origin);
        lq_request_add_header(request, "vary: origin");
    }
    // What follows an unread body is best not read as a request (see on_body).
    if (!request->body_whole || request->conn->server->told_to_stop)
        request->hang_up = true;
    if (request->hang_up)
        lq_request_add_header(request, "connection: close");
    if (request->code == 304 ? lws_add_http_header_status(wsi, 304, &at, end)
                             : lws_add_http_common_headers(wsi, (unsigned)request->code,
                                                           request->type, request->out_len, &at,
                                                           end))
        return -1;
    for (size_t i = 0; i < LQ_COUNT(security); i++)
        if (lws_add_http_header_by_name(wsi, (const uint8_t *)security[i].name,
                                        (const uint8_t *)security[i].value,
                                        (int)strlen(security[i].value), &at, end))
            return -1;
    if (add_own_headers(request, &at, end) || lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    request->headers_sent = true;
    return 0;
}

static void finish(struct lq_conn *conn)
{
    struct lq_request *request = conn->state;
    lq_conn_set(conn, NULL, NULL);
    if (request->route->gone)
        request->route->gone(request);
    conn->server->requests_finished++;
    lq_buf_release(&request->text);
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
    finish(conn);
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

static int on_writable(struct lq_conn *conn)
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
        failed = on_writable(conn);
    while (!failed && server->requests_finished == before && request->code && !all_sent(request));
    if (server->requests_finished == before)
        request->sending = false;
    if (failed) // what the library still keeps for a slow reader goes out first
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE,
                        lws_partial_buffered(wsi) ? LQ_SLOW_READER_S : LWS_TO_KILL_ASYNC);
}

// ---- requests ----------------------------------------------------------------------------------

static int on_body(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_request *request = conn->state;
    // libwebsockets 4.1 hands over the head of a pipelined request again as its body; no body that
    // is taken here begins so.
    if (request->body_len == 0 && len >= 6 && memcmp(bytes, "POST /", 6) == 0)
        return -1;
    request->body_len += len;
    if (request->code || !request->body)
        return request->body_len > DISCARD_BYTES_MAX ? -1 : 0;
    if (!lq_server_hold(conn->server, request->session, len)) {
        lq_buf_release(request->body);
        fail(request, 503, LQ_ERR_BUSY, "the server has no memory left for frames");
        return 0;
    }
    int status = request->body_len > request->body_max ? LQ_ERR_TOO_LARGE
                                                       : lq_buf_append(request->body, bytes, len);
    if (status != LQ_OK) {
        lq_buf_release(request->body);
        fail(request, lq_status_http(status), status,
             status == LQ_ERR_TOO_LARGE ? "body is too large" : "out of memory");
    }
    return 0;
}

static int on_body_done(struct lq_conn *conn)
{
    struct lq_request *request = conn->state;
    // Its end may be told again when more requests have come already; a loop of that is the same
    // fault as in on_body.
    if (request->body_whole)
        return ++request->ends > BODY_ENDS_MAX ? -1 : 0;
    request->body_whole = true;
    if (request->code)
        return all_sent(request) ? complete(request) : 0;
    if (request->route->body_done)
        request->route->body_done(request);
    return 0;
}

// Once a second: a client may not take for ever to send its body, nor to take its answer.
static void on_tick(struct lq_conn *conn, uint64_t now_us)
{
    struct lq_request *request = conn->state;
    const uint64_t second = 1000000;
    if (!request->code && !request->body_whole && now_us > request->since_us + LQ_BODY_S * second) {
        request->hang_up = true;
        fail(request, 408, LQ_ERR_TIMEOUT, "body did not come in time");
    } else if (request->code && now_us > request->since_us + LQ_SLOW_READER_S * second) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_TIMEOUT);
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

static void on_closed(struct lq_conn *conn)
{
    finish(conn);
}

const struct lq_conn_ops lq_http_ops = {.body = on_body,
                                        .body_done = on_body_done,
                                        .writable = on_writable,
                                        .tick = on_tick,
                                        .closed = on_closed};

static bool accepts_jpeg(struct lws *wsi)
{
    char accept[256];
    return lws_hdr_copy(wsi, accept, sizeof accept, WSI_TOKEN_HTTP_ACCEPT) > 0 &&
           strncmp(accept, "image/jpeg", 10) == 0;
}

static void allow_methods(struct lq_request *request)
{
    static const char *const names[] = {"GET",   "POST",   "OPTIONS", "PUT",
                                        "PATCH", "DELETE", "CONNECT", "HEAD"};
    char list[64] = "";
    size_t len = 0;
    for (size_t i = 0; i < LQ_COUNT(names) && len < sizeof list; i++)
        if (request->route->methods & 1u << i)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "",
                                    names[i]);
    lq_request_add_header(request, "allow: %s", list);
}

// A browser asks before it lets an allowed page from elsewhere send JSON (Fetch, "CORS preflight").
static void answer_preflight(struct lq_request *request)
{
    lq_request_add_header(request, "access-control-allow-methods: GET, POST");
    lq_request_add_header(request, "access-control-allow-headers: content-type");
    lq_request_add_header(request, "access-control-max-age: 600");
    lq_request_answer(request, 200, "text/plain; charset=utf-8", "", 0);
}

// Content-Length in digits and nothing else; -1 none, -2 nonsense.
static int64_t content_length(struct lws *wsi)
{
    char text[24];
    int len = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    if (len == 0)
        return -1;
    if (len > 15 || lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 ||
        strspn(text, "0123456789") != (size_t)len)
        return -2;
    return strtoll(text, NULL, 10);
}

// Refuses a body that cannot be read; true when the request may go on.
static bool check_body(struct lq_request *request, bool expected)
{
    struct lws *wsi = request->conn->wsi;
    int64_t length = content_length(wsi);
    // libwebsockets announces the end of an empty body for POST only.
    request->body_whole = length == 0 ? request->method != LWSHUMETH_POST : !expected && length < 0;
    if (length == -2 || (!expected && length > 0)) { // a GET with a body, say
        request->hang_up = true;
        request->body_whole = length == -2; // nothing sensible can follow
    }
    if (length == -2)
        fail(request, 400, LQ_ERR_SYNTAX, "Content-Length is not a number");
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) || (expected && length < 0)) {
        request->hang_up = true;
        fail(request, 411, LQ_ERR_ARGUMENT, "a body needs its Content-Length");
    } else if (length > LQ_BODY_BYTES_MAX) {
        request->hang_up = length > DISCARD_BYTES_MAX;
        fail(request, 413, LQ_ERR_TOO_LARGE, "body is larger than 16777216 bytes");
    }
    return request->code == 0;
}

// Who has no token: a page that brings one in its address is given the cookie, others are told.
static void refuse_stranger(struct lq_request *request)
{
    char cookie[LQ_TOKEN_CHARS_MAX + 96];
    bool is_page = request->route == &page && request->method == LWSHUMETH_GET;
    if (is_page && lq_access_cookie(request->conn->server, request->conn->wsi, cookie,
                                    sizeof cookie)) {
        lq_request_add_header(request, "set-cookie: %s", cookie);
        lq_request_add_header(request, "location: /");
        lq_request_add_header(request, "cache-control: no-store");
        lq_request_answer(request, 303, "text/plain; charset=utf-8", "", 0);
        return;
    }
    lq_request_add_header(request, "www-authenticate: Bearer");
    fail(request, 401, LQ_ERR_AUTH, LQ_WANTS_TOKEN);
}

static bool may_enter(const struct lq_request *request)
{
    const struct lq_conn *conn = request->conn;
    return !request->route->guarded || lq_access_token(conn->server, conn->wsi) ||
           (request->route->start == lq_sio_http_start && lq_sio_is_known(conn));
}

int lq_http_start(struct lq_conn *conn)
{
    char *path;
    int len;
    bool cross;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return -1;
    int method = lws_http_get_uri_and_method(conn->wsi, &path, &len);
    request->conn = conn;
    request->since_us = lq_clock_us();
    request->method = method;
    request->route = find_route(path);
    request->body_max = LQ_BODY_BYTES_MAX;
    lq_buf_init(&request->text, LQ_BODY_BYTES_MAX);
    lq_conn_set(conn, &lq_http_ops, request);
    bool allowed = lq_access_origin(conn->server, conn->wsi, request->origin,
                                    sizeof request->origin, &cross);
    if (!allowed || !cross)
        request->origin[0] = 0;
    request->accept_jpeg = accepts_jpeg(conn->wsi);
    bool body = method == LWSHUMETH_POST || method == LWSHUMETH_PUT || method == LWSHUMETH_PATCH;
    if (!check_body(request, body))
        return 0;
    if (method == LWSHUMETH_OPTIONS && *request->origin) {
        answer_preflight(request);
    } else if (method < 0 || !(request->route->methods & 1u << method)) {
        allow_methods(request);
        fail(request, 405, LQ_ERR_ARGUMENT, "this path does not take this method");
    } else if (!may_enter(request)) {
        refuse_stranger(request);
    } else if (!allowed && (method == LWSHUMETH_POST || request->route->start == lq_sio_http_start)) {
        fail(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    } else if (request->route == &page) {
        lq_asset_start(request, path);
    } else {
        request->route->start(request);
    }
    return 0;
}
