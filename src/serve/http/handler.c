// Receives requests from the network: checks access and finds the route.
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "serve/http/assets.h"
#include "serve/http/cors.h"
#include "serve/http/headers.h"
#include "serve/http/request.h"
#include "serve/message/frame_response.h"
#include "serve/sched/metrics.h"

enum { PAGE_METHODS = 1 << LQ_HTTP_GET | 1 << LQ_HTTP_HEAD };

static unsigned methods_of(const struct lq_web_request *request)
{
    return request->route ? request->route->methods : PAGE_METHODS;
}

static bool takes(const struct lq_web_request *request)
{
    return methods_of(request) & 1u << request->method;
}

static bool accepts_jpeg(const struct lq_http_request *http)
{
    const char *accept = lq_http_header(http, "accept");
    return accept && strncmp(accept, "image/jpeg", 10) == 0;
}

static void refuse_method(struct lq_web_request *request)
{
    static const struct { enum lq_http_method method; const char *name; } names[] = {
        {LQ_HTTP_GET, "GET"}, {LQ_HTTP_HEAD, "HEAD"}, {LQ_HTTP_POST, "POST"}};
    char list[64] = "";
    size_t len = 0;
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (methods_of(request) & 1u << names[i].method)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "",
                                    names[i].name);
    lq_web_add_header(request, "allow: %s", list);
    lq_web_fail_as(request, 405, LQ_ERR_ARGUMENT, "this path does not support this method");
}

static bool accepts_html(const struct lq_http_request *http)
{
    const char *accept = lq_http_header(http, "accept");
    return accept && strstr(accept, "text/html");
}

// Handles a client without a valid cookie: a page whose URL contains a token gets the cookie, a
// browser gets the page that asks for a token, and others are refused.
static void refuse_stranger(struct lq_web_request *request)
{
    char cookie[LQ_TOKEN_CHARS_MAX + 96];
    // The cookie applies to the folder of this URL, and the API is at the top level.
    bool is_page = !request->route && request->method == LQ_HTTP_GET &&
                   !strchr(lq_http_path(request->http) + 1, '/');
    if (is_page && lq_access_cookie(request->web->access, request->http, cookie, sizeof cookie)) {
        lq_web_add_header(request, "set-cookie: %s", cookie);
        lq_web_add_header(request, "location: ./");
        lq_web_add_header(request, "cache-control: no-store");
        lq_web_respond(request, 303, "text/plain; charset=utf-8", "", 0);
        return;
    }
    lq_web_add_header(request, "www-authenticate: Bearer");
    if (is_page && accepts_html(request->http)) {
        lq_asset_respond(request, 401, "/token.html");
        return;
    }
    lq_web_fail_as(request, 401, LQ_ERR_AUTH, LQ_WANTS_TOKEN);
}

// Whether the file is part of the page that asks for a token.
static bool is_token_page(const struct lq_web_request *request)
{
    static const char *const parts[] = {"/token.css", "/token.js", "/favicon.svg"};
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        if (!request->route && strcmp(lq_http_path(request->http), parts[i]) == 0)
            return true;
    return false;
}

// Handles operators' requests. Only the listener's address protects them, but requests that a web
// page makes in an operator's browser are refused.
static void start_admin(struct lq_web_request *request)
{
    const char *site = lq_http_header(request->http, "sec-fetch-site");
    bool page = lq_http_header(request->http, "origin") ||
                (site && strcmp(site, "none") != 0 && strcmp(site, "same-origin") != 0);
    if (page)
        lq_web_fail_as(request, 403, LQ_ERR_AUTH, "no page may use this listener");
    else if (!request->route)
        lq_web_fail_as(request, 404, LQ_ERR_NOT_FOUND, "there is nothing at this path");
    else if (!takes(request))
        refuse_method(request);
    else
        request->route->start(request);
}

static void start(struct lq_web_request *request)
{
    const struct lq_web_route *route = request->route;
    struct lq_web *web = request->web;
    bool cross;
    bool allowed = lq_access_origin(web->access, request->http, request->origin,
                                    sizeof request->origin, &cross);
    if (!allowed || !cross)
        request->origin[0] = 0;
    if (!lq_web_check_body(request))
        return;
    if (request->method == LQ_HTTP_OPTIONS && *request->origin)
        lq_cors_respond_preflight(request);
    else if (request->method == LQ_HTTP_OPTIONS && !allowed)
        lq_web_fail_as(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (request->method == LQ_HTTP_OTHER)
        lq_web_fail_as(request, 501, LQ_ERR_ARGUMENT, "unknown method");
    else if (!takes(request))
        refuse_method(request);
    else if (!is_token_page(request) && !lq_web_may_enter(web, route, request->http))
        refuse_stranger(request);
    else if (!allowed && (request->method == LQ_HTTP_POST || (route && route->same_origin)))
        lq_web_fail_as(request, 403, LQ_ERR_AUTH, LQ_FOREIGN_PAGE);
    else if (!route)
        lq_asset_start(request);
    else
        route->start(request);
}

static void on_request(struct lq_http_request *http)
{
    const struct lq_web_entry *entry = lq_http_context(http);
    if (lq_http_wants_ws(http) && !entry->admin) {
        lq_web_upgrade(entry->web, http);
        return;
    }
    struct lq_web_request *request = lq_web_request_new(entry->web, http);
    if (!request) {
        lq_http_kill(http);
        return;
    }
    const struct lq_web_route *route =
        lq_web_find_route(entry->web, lq_http_path(http), entry->admin);
    request->route = route && route->start ? route : NULL;
    request->accept_jpeg = accepts_jpeg(http);
    request->admin = entry->admin;
    if (entry->admin)
        start_admin(request);
    else
        start(request);
}

static int status_of(int code)
{
    return code == 408                                 ? LQ_ERR_TIMEOUT
           : code == 413 || code == 414 || code == 431 ? LQ_ERR_TOO_LARGE
           : code == 400                               ? LQ_ERR_SYNTAX
                                                       : LQ_ERR_ARGUMENT;
}

// Responses to requests that src/net refuses have the same form as all others.
static void on_refuse(void *context, struct lq_http_request *http, const char *why,
                      struct lq_http_response *response)
{
    struct lq_web *web = ((struct lq_web_entry *)context)->web;
    struct lq_web_request *request = http ? lq_http_state(http) : NULL;
    struct lq_error error;
    lq_fail(&error, status_of(response->code), "%s", why);
    lq_metrics_count_error(web->metrics, error.status);
    lq_buf_clear(&web->refusal);
    if (lq_response_http_error(&web->refusal, &error) != LQ_OK)
        return;
    if (request)
        request->code = response->code;
    response->headers = response->code == 405
                          ? "content-type: application/json\r\nallow: GET, HEAD, POST\r\n"
                          : "content-type: application/json\r\n";
    response->body = web->refusal.data;
    response->len = web->refusal.len;
}

const struct lq_http_handler lq_web_handler = {
    .request = on_request,
    .room = lq_web_on_room,
    .received = lq_web_on_received,
    .body_done = lq_web_on_body_done,
    .gone = lq_web_on_gone,
    .refuse = on_refuse,
};
