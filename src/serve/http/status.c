#include "serve/http/status.h"

#include <string.h>

#include "model/model.h"
#include "serve/sched/admission.h"

void lq_status_health(struct lq_web_request *request)
{
    if (request->web->stalled)
        lq_web_respond(request, 503, "text/plain; charset=utf-8", "stalled\n", 8);
    else
        lq_web_respond(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

void lq_status_ready(struct lq_web_request *request)
{
    const struct lq_web *web = request->web;
    bool full = web->admission->session_count >= web->options->sessions_max;
    const char *why = web->stopping  ? "stopping\n"
                      : web->stalled ? "stalled\n"
                      : full         ? "full\n"
                                     : NULL;
    if (why)
        lq_web_respond(request, 503, "text/plain; charset=utf-8", why, strlen(why));
    else
        lq_web_respond(request, 200, "text/plain; charset=utf-8", "ready\n", 6);
}

void lq_status_metrics(struct lq_web_request *request)
{
    struct lq_error error;
    const struct lq_web *web = request->web;
    struct lq_admission *admission = web->admission;
    if (!request->admin && !lq_access_metrics(web->access, request->http)) {
        lq_web_fail_as(request, 404, LQ_ERR_NOT_FOUND, "there is nothing at this path");
        return;
    }
    const struct lq_model_info *info = lq_model_info(web->model);
    const struct lq_gauges gauges = {
        .state = lq_workers_state(admission->workers),
        .workers = web->options->workers,
        .sessions_max = web->options->sessions_max,
        .frames = lq_account_state(admission->account),
        .busy_us = lq_load_busy_us(&admission->load),
        .engine = info->engine,
        .model = info->name,
    };
    if (lq_metrics_print(web->metrics, &gauges, &request->text) == LQ_OK &&
        lq_model_print_metrics(web->model, &request->text) == LQ_OK)
        lq_web_respond_text(request, 200, "text/plain; version=0.0.4; charset=utf-8");
    else {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        lq_web_fail(request, &error);
    }
}
