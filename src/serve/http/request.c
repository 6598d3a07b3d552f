#include "serve/http/request.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "serve/message/receive.h"
#include "serve/sched/metrics.h"

void lq_web_init(struct lq_web *web)
{
    char folder[4096];
    lq_buf_init(&web->refusal, 1024);
    if (lq_device_folder(folder, sizeof folder))
        lq_device_files_open(&web->device, folder);
}

void lq_web_release(struct lq_web *web)
{
    lq_buf_release(&web->refusal);
    lq_device_files_close(&web->device);
}

struct lq_web_request *lq_web_request_new(struct lq_web *web, struct lq_http_request *http)
{
    struct lq_web_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->web = web;
    request->http = http;
    request->method = lq_http_method(http);
    request->body_max = LQ_BODY_BYTES_MAX;
    lq_buf_init(&request->text, LQ_BODY_BYTES_MAX);
    request->next = web->requests;
    request->link = &web->requests;
    if (request->next)
        request->next->link = &request->next;
    web->requests = request;
    lq_http_set_state(http, request);
    return request;
}

void lq_web_on_gone(struct lq_http_request *http, bool whole, enum lq_net_end end)
{
    struct lq_web_request *request = lq_http_state(http);
    (void)whole;
    if (!request)
        return; // a WebSocket that was refused
    if (end == LQ_END_SLOW)
        lq_metrics_count_error(request->web->metrics, LQ_ERR_TIMEOUT);
    if (request->route && request->route->closed)
        request->route->closed(request);
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    lq_buf_release(&request->text);
    lq_charge_end(&request->held);
    free(request);
}

void lq_web_refuse(struct lq_web *web, struct lq_http_request *http, int code, const char *headers,
                   const struct lq_error *error)
{
    struct lq_web_request *request = lq_web_request_new(web, http);
    if (!request) {
        lq_http_kill(http);
        return;
    }
    if (headers)
        snprintf(request->headers, sizeof request->headers, "%s", headers);
    request->hang_up = true;
    lq_web_fail_as(request, code, error->status, error->text);
}

// ---- bodies ------------------------------------------------------------------------------------

// The body is no longer needed: releases its memory and discards the rest.
static uint8_t *stop_body(struct lq_web_request *request, int code, int status, const char *why)
{
    lq_buf_release(request->body);
    lq_charge_set(&request->held, 0);
    request->body = NULL;
    lq_web_fail_as(request, code, status, why);
    return NULL;
}

uint8_t *lq_web_on_room(struct lq_http_request *http, size_t coming, size_t *size)
{
    struct lq_web_request *request = lq_http_state(http);
    struct lq_buf *body = request->body;
    if (request->code || !body)
        return NULL;
    if (body->len >= request->body_max)
        return stop_body(request, 413, LQ_ERR_TOO_LARGE, "body is too large");
    size_t left = request->body_max - body->len;
    uint8_t *room = lq_receive_room(body, coming < left ? coming : left, size);
    return room ? room : stop_body(request, 503, LQ_ERR_MEMORY, "out of memory");
}

void lq_web_on_received(struct lq_http_request *http, size_t len)
{
    struct lq_web_request *request = lq_http_state(http);
    if (request->code || !request->body)
        return;
    request->body->len += len;
    if (!lq_charge_grow(&request->held, request->body->len))
        stop_body(request, 503, LQ_ERR_BUSY, "the server has no memory left for frames");
}

void lq_web_on_body_done(struct lq_http_request *http)
{
    struct lq_web_request *request = lq_http_state(http);
    if (!request->code && request->body && request->route->body_done)
        request->route->body_done(request);
}

bool lq_web_check_body(struct lq_web_request *request)
{
    char text[64];
    int64_t length = lq_http_body_length(request->http);
    bool expected = request->method == LQ_HTTP_POST || request->method == LQ_HTTP_PUT ||
                    request->method == LQ_HTTP_PATCH;
    if (expected && !lq_http_has_body(request->http))
        lq_web_fail_as(request, 411, LQ_ERR_ARGUMENT, "a body needs its Content-Length");
    snprintf(text, sizeof text, "body is larger than %d bytes", LQ_BODY_BYTES_MAX);
    if (!request->code && length > LQ_BODY_BYTES_MAX)
        lq_web_fail_as(request, 413, LQ_ERR_TOO_LARGE, text);
    return request->code == 0;
}
