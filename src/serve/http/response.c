#include <stdio.h>

#include "base/limits.h"
#include "serve/http/headers.h"
#include "serve/http/request.h"
#include "serve/message/frame_response.h"
#include "serve/sched/load.h"
#include "serve/sched/metrics.h"

void lq_web_respond(struct lq_web_request *request, int code, const char *type, const void *bytes,
                       size_t len)
{
    char policy[LQ_PAGE_POLICY_SIZE], headers[LQ_PAGE_POLICY_SIZE + sizeof request->headers + 128];
    if (request->code)
        return;
    request->code = code;
    lq_web_add_cors_headers(request);
    lq_web_page_policy(request->web->options, policy, sizeof policy);
    bool typed = code != 204 && code != 304;
    snprintf(headers, sizeof headers, "%s%s%s%s%s", typed ? "content-type: " : "",
             typed ? type : "", typed ? "\r\n" : "", policy, request->headers);
    const struct lq_http_response response = {.code = code,
                                          .headers = headers,
                                          .body = len ? bytes : "",
                                          .len = len,
                                          .hang_up = request->hang_up ||
                                                     request->web->stopping};
    lq_http_respond(request->http, &response);
}

void lq_web_respond_text(struct lq_web_request *request, int code, const char *type)
{
    lq_web_respond(request, code, type, request->text.data, request->text.len);
}

static void fail(struct lq_web_request *request, int code, const struct lq_error *error)
{
    lq_metrics_count_error(request->web->metrics, error->status);
    lq_buf_clear(&request->text);
    if (lq_response_http_error(&request->text, error) != LQ_OK)
        request->hang_up = true;
    if (error->status == LQ_ERR_BUSY || error->status == LQ_ERR_RATE)
        lq_web_add_header(request, "retry-after: %d",
                              request->retry_s ? request->retry_s : LQ_LOAD_RETRY_S);
    lq_web_respond_text(request, code, "application/json");
}

void lq_web_fail(struct lq_web_request *request, const struct lq_error *error)
{
    fail(request, lq_status_http(error->status), error);
}

void lq_web_fail_as(struct lq_web_request *request, int code, int status, const char *text)
{
    struct lq_error error;
    lq_fail(&error, status, "%s", text);
    fail(request, code, &error);
}

void lq_web_wait(struct lq_web_request *request)
{
    lq_http_set_deadline(request->http, LQ_WORK_S * 1000);
}

void lq_web_wake(struct lq_web_request *request)
{
    if (!request->code && request->route->wake)
        request->route->wake(request);
}
