// HTTP requests as they come: who may ask, what body belongs to it, which route takes it.
#include "serve/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "serve/access.h"

enum {
    DISCARD_BYTES_MAX = 64 * 1024 * 1024, // of a refused body, so that the client sees the answer
    BODY_ENDS_MAX = 1000,
};

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
        lq_request_fail_as(request, 503, LQ_ERR_BUSY, "the server has no memory left for frames");
        return 0;
    }
    int status = request->body_len > request->body_max ? LQ_ERR_TOO_LARGE
                                                       : lq_buf_append(request->body, bytes, len);
    if (status != LQ_OK) {
        lq_buf_release(request->body);
        lq_request_fail_as(request, lq_status_http(status), status,
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
    bool answered = request->code != 0;
    int status = lq_request_body_came(request);
    if (!answered && request->route->body_done)
        request->route->body_done(request);
    return status;
}

// Once a second: a client may not take for ever to send its body, nor to take its answer.
static void on_tick(struct lq_conn *conn, uint64_t now_us)
{
    struct lq_request *request = conn->state;
    const uint64_t second = 1000000;
    if (!request->code && !request->body_whole && now_us > request->since_us + LQ_BODY_S * second) {
        request->hang_up = true;
        lq_request_fail_as(request, 408, LQ_ERR_TIMEOUT, "body did not come in time");
    } else if (request->code && now_us > request->since_us + LQ_SLOW_READER_S * second) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_TIMEOUT);
        lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

static void on_closed(struct lq_conn *conn)
{
    lq_request_end(conn);
}

const struct lq_conn_ops lq_http_ops = {.body = on_body,
                                        .body_done = on_body_done,
                                        .writable = lq_request_on_writable,
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
        lq_request_fail_as(request, 400, LQ_ERR_SYNTAX, "Content-Length is not a number");
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) ||
             (expected && length < 0)) {
        request->hang_up = true;
        lq_request_fail_as(request, 411, LQ_ERR_ARGUMENT, "a body needs its Content-Length");
    } else if (length > LQ_BODY_BYTES_MAX) {
        request->hang_up = length > DISCARD_BYTES_MAX;
        struct lq_error error;
        lq_fail(&error, LQ_ERR_TOO_LARGE, "body is larger than %d bytes", LQ_BODY_BYTES_MAX);
        lq_request_fail_as(request, 413, LQ_ERR_TOO_LARGE, error.text);
    }
    return request->code == 0;
}

// Who has no token: a page that brings one in its address is given the cookie, others are told.
static void refuse_stranger(struct lq_request *request)
{
    char cookie[LQ_TOKEN_CHARS_MAX + 96];
    bool is_page = request->route == &lq_page_route && request->method == LWSHUMETH_GET;
    if (is_page && lq_access_cookie(request->conn->server, request->conn->wsi, cookie,
                                    sizeof cookie)) {
        lq_request_add_header(request, "set-cookie: %s", cookie);
        lq_request_add_header(request, "location: /");
        lq_request_add_header(request, "cache-control: no-store");
        lq_request_answer(request, 303, "text/plain; charset=utf-8", "", 0);
        return;
    }
    lq_request_add_header(request, "www-authenticate: Bearer");
    lq_request_fail_as(request, 401, LQ_ERR_AUTH, LQ_WANTS_TOKEN);
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
    request->route = lq_route_find(path);
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
        lq_request_fail_as(request, 405, LQ_ERR_ARGUMENT, "this path does not take this method");
    } else if (!may_enter(request)) {
        refuse_stranger(request);
    } else if (!allowed &&
               (method == LWSHUMETH_POST || request->route->start == lq_sio_http_start)) {
        lq_request_fail_as(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    } else if (request->route == &lq_page_route) {
        lq_asset_start(request, path);
    } else {
        request->route->start(request);
    }
    return 0;
}
