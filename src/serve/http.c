// HTTP requests as they come: who may ask, what body belongs to it, which route takes it.
#include "serve/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/cors.h"

static struct lq_entry *entry_of(const struct lq_http *http)
{
    return lq_http_context(http);
}

// ---- bodies ------------------------------------------------------------------------------------

// The body is not wanted any more: what it took is given back, and the rest is read past.
static uint8_t *stop_body(struct lq_request *request, int code, int status, const char *why)
{
    lq_buf_release(request->body);
    lq_charge_set(&request->held, 0);
    request->body = NULL;
    lq_request_fail_as(request, code, status, why);
    return NULL;
}

static uint8_t *on_room(struct lq_http *http, size_t coming, size_t *size)
{
    struct lq_request *request = lq_http_state(http);
    struct lq_buf *body = request->body;
    if (request->code || !body)
        return NULL;
    if (body->len >= request->body_max)
        return stop_body(request, 413, LQ_ERR_TOO_LARGE, "body is too large");
    size_t left = request->body_max - body->len;
    uint8_t *room = lq_server_room(body, coming < left ? coming : left, size);
    return room ? room : stop_body(request, 503, LQ_ERR_MEMORY, "out of memory");
}

static void on_came(struct lq_http *http, size_t len)
{
    struct lq_request *request = lq_http_state(http);
    if (request->code || !request->body)
        return;
    request->body->len += len;
    if (!lq_charge_grow(&request->held, request->body->len))
        stop_body(request, 503, LQ_ERR_BUSY, "the server has no memory left for frames");
}

static void on_body_done(struct lq_http *http)
{
    struct lq_request *request = lq_http_state(http);
    if (!request->code && request->body && request->route->body_done)
        request->route->body_done(request);
}

static void on_gone(struct lq_http *http, bool whole)
{
    struct lq_request *request = lq_http_state(http);
    (void)whole;
    if (!request)
        return; // a WebSocket that was refused
    if (request->route->gone)
        request->route->gone(request);
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    lq_buf_release(&request->text);
    lq_charge_end(&request->held);
    free(request);
}

// Refuses a body that is too large, or missing; true when the request may go on.
static bool check_body(struct lq_request *request)
{
    char text[64];
    int64_t length = lq_http_body_length(request->http);
    bool expected = request->method == LQ_HTTP_POST || request->method == LQ_HTTP_PUT ||
                    request->method == LQ_HTTP_PATCH;
    if (expected && !lq_http_has_body(request->http))
        lq_request_fail_as(request, 411, LQ_ERR_ARGUMENT, "a body needs its Content-Length");
    snprintf(text, sizeof text, "body is larger than %d bytes", LQ_BODY_BYTES_MAX);
    if (!request->code && length > LQ_BODY_BYTES_MAX)
        lq_request_fail_as(request, 413, LQ_ERR_TOO_LARGE, text);
    return request->code == 0;
}

// ---- who may ask -------------------------------------------------------------------------------

static bool accepts_jpeg(const struct lq_http *http)
{
    const char *accept = lq_http_header(http, "accept");
    return accept && strncmp(accept, "image/jpeg", 10) == 0;
}

static void allow_methods(struct lq_request *request)
{
    static const struct { enum lq_http_method method; const char *name; } names[] = {
        {LQ_HTTP_GET, "GET"}, {LQ_HTTP_HEAD, "HEAD"}, {LQ_HTTP_POST, "POST"}};
    char list[64] = "";
    size_t len = 0;
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (request->route->methods & 1u << names[i].method)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "",
                                    names[i].name);
    lq_request_add_header(request, "allow: %s", list);
    lq_request_fail_as(request, 405, LQ_ERR_ARGUMENT, "this path does not take this method");
}

static bool accepts_html(const struct lq_http *http)
{
    const char *accept = lq_http_header(http, "accept");
    return accept && strstr(accept, "text/html");
}

// Who has no token: a page that brings one in its address is given the cookie, a browser the page that
// asks for one, others are told.
static void refuse_stranger(struct lq_request *request)
{
    char cookie[LQ_TOKEN_CHARS_MAX + 96];
    // The cookie is for the folder of this address, and the API is at its top.
    bool is_page = request->route == &lq_page_route && request->method == LQ_HTTP_GET &&
                   !strchr(lq_http_path(request->http) + 1, '/');
    if (is_page && lq_access_cookie(request->server, request->http, cookie, sizeof cookie)) {
        lq_request_add_header(request, "set-cookie: %s", cookie);
        lq_request_add_header(request, "location: ./");
        lq_request_add_header(request, "cache-control: no-store");
        lq_request_answer(request, 303, "text/plain; charset=utf-8", "", 0);
        return;
    }
    lq_request_add_header(request, "www-authenticate: Bearer");
    if (is_page && accepts_html(request->http)) {
        lq_asset_answer(request, 401, "/token.html");
        return;
    }
    lq_request_fail_as(request, 401, LQ_ERR_AUTH, LQ_WANTS_TOKEN);
}

// What the page that asks for a token is made of.
static bool is_token_page(const struct lq_request *request)
{
    static const char *const parts[] = {"/token.css", "/token.js", "/favicon.svg"};
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        if (request->route == &lq_page_route && strcmp(lq_http_path(request->http), parts[i]) == 0)
            return true;
    return false;
}

static bool may_enter(const struct lq_request *request)
{
    return !request->route->guarded || is_token_page(request) || lq_access_token(request->server, request->http) ||
           (request->route->start == lq_sio_http_start &&
            lq_sio_is_known(request->server, request->http));
}

// ---- requests ----------------------------------------------------------------------------------

static struct lq_request *new_request(struct lq_server *server, struct lq_http *http)
{
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->http = http;
    request->method = lq_http_method(http);
    request->body_max = LQ_BODY_BYTES_MAX;
    lq_buf_init(&request->text, LQ_BODY_BYTES_MAX);
    request->next = server->requests;
    request->link = &server->requests;
    if (request->next)
        request->next->link = &request->next;
    server->requests = request;
    lq_http_set_state(http, request);
    return request;
}

// Operators' requests: their listener's address is the guard, but no page may ask in their name.
static void start_admin(struct lq_request *request)
{
    const char *site = lq_http_header(request->http, "sec-fetch-site");
    bool page = lq_http_header(request->http, "origin") ||
                (site && strcmp(site, "none") != 0 && strcmp(site, "same-origin") != 0);
    if (page)
        lq_request_fail_as(request, 403, LQ_ERR_AUTH, "no page may use this listener");
    else if (request->route == &lq_page_route)
        lq_request_fail_as(request, 404, LQ_ERR_NOT_FOUND, "there is nothing at this path");
    else if (!(request->route->methods & 1u << request->method))
        allow_methods(request);
    else
        request->route->start(request);
}

static void start(struct lq_request *request)
{
    struct lq_server *server = request->server;
    enum lq_http_method method = request->method;
    bool cross;
    bool allowed = lq_access_origin(server, request->http, request->origin, sizeof request->origin,
                                    &cross);
    if (!allowed || !cross)
        request->origin[0] = 0;
    if (!check_body(request))
        return;
    if (method == LQ_HTTP_OPTIONS && *request->origin)
        lq_cors_answer_preflight(request);
    else if (method == LQ_HTTP_OPTIONS && !allowed)
        lq_request_fail_as(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (method == LQ_HTTP_OTHER)
        lq_request_fail_as(request, 501, LQ_ERR_ARGUMENT, "this method is not known here");
    else if (!(request->route->methods & 1u << method))
        allow_methods(request);
    else if (!may_enter(request))
        refuse_stranger(request);
    else if (!allowed && (method == LQ_HTTP_POST || request->route->start == lq_sio_http_start))
        lq_request_fail_as(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (request->route == &lq_page_route)
        lq_asset_start(request, lq_http_path(request->http));
    else
        request->route->start(request);
}

static void on_request(struct lq_http *http)
{
    const struct lq_entry *entry = entry_of(http);
    if (lq_http_wants_ws(http) && !entry->admin) {
        lq_upgrade(entry->server, http);
        return;
    }
    struct lq_request *request = new_request(entry->server, http);
    if (!request) {
        lq_http_kill(http);
        return;
    }
    request->route = lq_route_find(lq_http_path(http), entry->admin);
    request->accept_jpeg = accepts_jpeg(http);
    request->admin = entry->admin;
    if (entry->admin)
        start_admin(request);
    else
        start(request);
}

// The network refuses by itself; it is told as everything else is.
static void on_refuse(void *context, struct lq_http *http, const char *why,
                      struct lq_http_answer *answer)
{
    struct lq_server *server = ((struct lq_entry *)context)->server;
    int status = answer->code == 408                              ? LQ_ERR_TIMEOUT
                 : answer->code == 413 || answer->code == 414 ||
                         answer->code == 431                      ? LQ_ERR_TOO_LARGE
                 : answer->code == 400                            ? LQ_ERR_SYNTAX
                                                                  : LQ_ERR_ARGUMENT;
    struct lq_request *request = http ? lq_http_state(http) : NULL;
    struct lq_error error;
    lq_fail(&error, status, "%s", why);
    lq_metrics_count_error(&server->metrics, status);
    lq_buf_clear(&server->refusal);
    if (lq_answer_http_error(&server->refusal, &error) != LQ_OK)
        return;
    if (request)
        request->code = answer->code;
    answer->headers = answer->code == 405
                          ? "content-type: application/json\r\nallow: GET, HEAD, POST\r\n"
                          : "content-type: application/json\r\n";
    answer->body = server->refusal.data;
    answer->len = server->refusal.len;
}

const struct lq_http_handler lq_http_handler = {
    .request = on_request,
    .room = on_room,
    .came = on_came,
    .body_done = on_body_done,
    .gone = on_gone,
    .refuse = on_refuse,
};

// ---- sockets -----------------------------------------------------------------------------------

void lq_refuse(struct lq_server *server, struct lq_http *http, int code, const char *headers,
               const struct lq_error *error)
{
    struct lq_request *request = new_request(server, http);
    if (!request) {
        lq_http_kill(http);
        return;
    }
    request->route = &lq_page_route;
    if (headers)
        snprintf(request->headers, sizeof request->headers, "%s", headers);
    request->hang_up = true;
    lq_request_fail_as(request, code, error->status, error->text);
}

static void refuse_upgrade(struct lq_server *server, struct lq_http *http, int code,
                           const char *headers, int status, const char *why)
{
    struct lq_error error;
    lq_fail(&error, status, "%s", why);
    lq_refuse(server, http, code, headers, &error);
}

void lq_upgrade(struct lq_server *server, struct lq_http *http)
{
    char origin[256];
    const char *path = lq_http_path(http), *headers;
    bool cross;
    int code;
    const char *fault = lq_http_ws_fault(http, &code, &headers);
    bool is_sio = strcmp(path, "/socket.io/") == 0 || strcmp(path, "/socket.io") == 0;
    if (fault)
        refuse_upgrade(server, http, code, headers, LQ_ERR_ARGUMENT, fault);
    else if (!lq_access_token(server, http) && !(is_sio && lq_sio_is_known(server, http)))
        refuse_upgrade(server, http, 401, "www-authenticate: Bearer\r\n", LQ_ERR_AUTH,
                       LQ_WANTS_TOKEN);
    else if (!lq_access_origin(server, http, origin, sizeof origin, &cross))
        refuse_upgrade(server, http, 403, NULL, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (strcmp(path, "/ws") == 0)
        lq_live_upgrade(server, http);
    else if (is_sio)
        lq_sio_upgrade(server, http);
    else
        refuse_upgrade(server, http, 404, NULL, LQ_ERR_NOT_FOUND,
                       "there is no socket at this path");
}
