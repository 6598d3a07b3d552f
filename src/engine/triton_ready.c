#include "engine/triton_ready.h"

#include <stdio.h>

#include "base/clock.h"
#include "engine/kserve.h"

enum {
    RESPONSE_MS = 1000,    // the longest wait for a response
    INDEX_AGAIN_MS = 5000, // its list is read less often than its health
    URL_MAX = LQ_REMOTE_URL_MAX + LQ_TENSOR_NAME_MAX + 64,
};

int lq_triton_probe_init(struct lq_triton_probe *probe, struct lq_error *err)
{
    *probe = (struct lq_triton_probe){0};
    lq_buf_init(&probe->reply, LQ_KSERVE_JSON_MAX);
    return lq_http_new(&probe->http, err);
}

void lq_triton_probe_release(struct lq_triton_probe *probe)
{
    lq_http_free(probe->http);
    lq_buf_release(&probe->reply);
}

static int fetch(struct lq_triton_probe *probe, const char *url, bool post, int *http_status,
                 struct lq_error *err)
{
    struct lq_http_call call = {.url = url, .post = post, .reply = &probe->reply,
                                .deadline_us = lq_clock_us() + RESPONSE_MS * 1000u};
    if (post) {
        call.body[0] = (struct lq_http_span){"{}", 2};
        call.body_count = 1;
    }
    int status = lq_http_call(probe->http, &call, err);
    *http_status = call.http_status;
    return status;
}

// Reads which models the server has: from Triton's and MLServer's index, else from KServe's list.
static void list_models(struct lq_triton_probe *probe, const char *url, const char *model,
                        const char *version)
{
    static const struct {
        const char *tail;
        bool post;
    } lists[] = {{"/v2/repository/index", true}, {"/v2/models", false}};
    char address[URL_MAX];
    int http_status;
    bool listed = false;
    for (size_t i = 0; i < LQ_COUNT(lists) && !listed; i++) {
        snprintf(address, sizeof address, "%s%s", url, lists[i].tail);
        listed = fetch(probe, address, lists[i].post, &http_status, NULL) == LQ_OK &&
               http_status == 200 &&
               lq_kserve_read_index(probe->instead, sizeof probe->instead, model, version,
                                    probe->reply.data, probe->reply.len);
    }
    if (!listed)
        snprintf(probe->instead, sizeof probe->instead,
                 "it has no model '%.60s', or it is not ready", model);
    probe->listed_us = lq_clock_us();
}

int lq_triton_probe_ready(struct lq_triton_probe *probe, const char *url, const char *model,
                          const char *version, struct lq_error *err)
{
    char address[URL_MAX];
    int http_status;
    snprintf(address, sizeof address, "%s/v2/health/ready", url);
    int status = fetch(probe, address, false, &http_status, err);
    if (status != LQ_OK)
        return status;
    if (http_status == 404 || http_status == 405 || http_status == 501)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "it answers HTTP %d: is this Triton's HTTP port?",
                       http_status);
    if (http_status != 200)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "the server is not ready");
    snprintf(address, sizeof address, "%s/v2/models/%s%s%s/ready", url, model,
             *version ? "/versions/" : "", version);
    status = fetch(probe, address, false, &http_status, err);
    if (status != LQ_OK)
        return status;
    if (http_status == 200) {
        probe->listed_us = 0;
        return LQ_OK;
    }
    if (!probe->listed_us || lq_clock_us() - probe->listed_us > INDEX_AGAIN_MS * 1000u)
        list_models(probe, url, model, version);
    return lq_fail(err, LQ_ERR_NOT_FOUND, "%s", probe->instead);
}
