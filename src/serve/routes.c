// Which path leads where, and what is small enough to be answered here.
#include <string.h>

#include "serve/guard/access.h"
#include "serve/http/request.h"

enum { GET = 1 << LQ_HTTP_GET | 1 << LQ_HTTP_HEAD, POST = 1 << LQ_HTTP_POST };

static void start_health(struct lq_request *request)
{
    if (lq_server_is_stalled(request->server))
        lq_request_answer(request, 503, "text/plain; charset=utf-8", "stalled\n", 8);
    else
        lq_request_answer(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void start_ready(struct lq_request *request)
{
    const struct lq_server *server = request->server;
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
    struct lq_server *server = request->server;
    if (!request->admin && !lq_access_metrics(server, request->http)) {
        lq_request_fail_as(request, 404, LQ_ERR_NOT_FOUND, "there is nothing at this path");
        return;
    }
    const struct lq_model_info *info = lq_model_info(server->model);
    const struct lq_gauges gauges = {
        .state = lq_workers_state(server->workers),
        .workers = server->options->workers,
        .sessions_max = server->options->sessions_max,
        .frames = lq_account_state(server->account),
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
    {"/healthz", GET, false, true, start_health, NULL, NULL, NULL},
    {"/readyz", GET, false, true, start_ready, NULL, NULL, NULL},
    {"/metrics", GET, true, true, start_metrics, NULL, NULL, NULL},
    {"/api/v1/info", GET, true, false, lq_api_info, NULL, NULL, NULL},
    {"/api/looks", GET, true, false, lq_api_looks, NULL, NULL, NULL},
#define API POST, true, false, lq_api_start, lq_api_body_done, lq_api_look, lq_api_gone
    {"/api/v1/nails", API},
    {"/api/process", API},
    {"/api/process_base64", API},
#undef API
#define SOCKETIO GET | POST, true, false, lq_sio_http_start, lq_sio_http_body_done,               \
                 lq_sio_http_look, lq_sio_http_gone
    {"/socket.io/", SOCKETIO},
    {"/socket.io", SOCKETIO},
#undef SOCKETIO
};

static void start_page(struct lq_request *request)
{
    (void)request; // lq_http_start hands the path to the page's files itself
}

// Any other path is a file of the page, or nothing.
const struct lq_route lq_page_route = {"", GET, true, false, start_page, NULL, NULL, NULL};

const struct lq_route *lq_route_find(const char *path, bool admin)
{
    for (size_t i = 0; i < LQ_COUNT(routes); i++)
        if (strcmp(routes[i].path, path) == 0 && (!admin || routes[i].admin))
            return &routes[i];
    return &lq_page_route;
}
