// How an HTTP request is answered.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "serve/message/frame_response.h"
#include "serve/http/cors.h"
#include "serve/http/request.h"

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
    char policy[LQ_PAGE_POLICY_SIZE], headers[LQ_PAGE_POLICY_SIZE + sizeof request->headers + 128];
    if (request->code)
        return;
    request->code = code;
    lq_cors_add_headers(request);
    lq_page_policy(request->server->options, policy, sizeof policy);
    bool typed = code != 204 && code != 304;
    snprintf(headers, sizeof headers, "%s%s%s%s%s", typed ? "content-type: " : "",
             typed ? type : "", typed ? "\r\n" : "", policy, request->headers);
    const struct lq_http_answer answer = {.code = code,
                                          .headers = headers,
                                          .body = len ? bytes : "",
                                          .len = len,
                                          .hang_up = request->hang_up ||
                                                     request->server->told_to_stop};
    lq_http_answer(request->http, &answer);
}

void lq_request_answer_text(struct lq_request *request, int code, const char *type)
{
    lq_request_answer(request, code, type, request->text.data, request->text.len);
}

static void fail(struct lq_request *request, int code, const struct lq_error *error)
{
    lq_metrics_count_error(&request->server->metrics, error->status);
    lq_buf_clear(&request->text);
    if (lq_answer_http_error(&request->text, error) != LQ_OK)
        request->hang_up = true;
    if (error->status == LQ_ERR_BUSY || error->status == LQ_ERR_RATE)
        lq_request_add_header(request, "retry-after: %d",
                              request->retry_s ? request->retry_s : LQ_LOAD_RETRY_S);
    lq_request_answer_text(request, code, "application/json");
}

void lq_request_fail(struct lq_request *request, const struct lq_error *error)
{
    fail(request, lq_status_http(error->status), error);
}

void lq_request_fail_as(struct lq_request *request, int code, int status, const char *text)
{
    struct lq_error error;
    lq_fail(&error, status, "%s", text);
    fail(request, code, &error);
}

void lq_request_wait(struct lq_request *request)
{
    lq_http_set_deadline(request->http, LQ_WORK_S * 1000);
}

void lq_request_wake(struct lq_request *request)
{
    if (!request->code && request->route->look)
        request->route->look(request);
}
