#include "engine/triton_ready.h"

#include <stdio.h>

#include "base/clock.h"
#include "engine/kserve.h"

enum {
    ANSWER_MS = 1000,      // the longest wait for an answer
    INDEX_AGAIN_MS = 5000, // a server that is out is asked ten times a second, not for all it has
    URL_MAX = LQ_REMOTE_URL_MAX + LQ_TENSOR_NAME_MAX + 64,
};

int lq_triton_asker_init(struct lq_triton_asker *asker, struct lq_error *err)
{
    *asker = (struct lq_triton_asker){0};
    lq_buf_init(&asker->reply, LQ_KSERVE_JSON_MAX);
    return lq_http_new(&asker->http, err);
}

void lq_triton_asker_release(struct lq_triton_asker *asker)
{
    lq_http_free(asker->http);
    lq_buf_release(&asker->reply);
}

static int ask(struct lq_triton_asker *asker, const char *url, bool post, int *http_status,
               struct lq_error *err)
{
    struct lq_http_call call = {.url = url, .post = post, .reply = &asker->reply,
                                .deadline_us = lq_clock_us() + ANSWER_MS * 1000u};
    if (post) {
        call.body[0] = (struct lq_http_span){"{}", 2};
        call.body_count = 1;
    }
    int status = lq_http_call(asker->http, &call, err);
    *http_status = call.http_status;
    return status;
}

// Triton's and MLServer's index, else the list that KServe's own server has.
static void ask_what_else(struct lq_triton_asker *asker, const char *url, const char *model,
                          const char *version)
{
    static const struct {
        const char *tail;
        bool post;
    } lists[] = {{"/v2/repository/index", true}, {"/v2/models", false}};
    char address[URL_MAX];
    int http_status;
    bool said = false;
    for (size_t i = 0; i < LQ_COUNT(lists) && !said; i++) {
        snprintf(address, sizeof address, "%s%s", url, lists[i].tail);
        said = ask(asker, address, lists[i].post, &http_status, NULL) == LQ_OK &&
               http_status == 200 &&
               lq_kserve_read_index(asker->instead, sizeof asker->instead, model, version,
                                    asker->reply.data, asker->reply.len);
    }
    if (!said)
        snprintf(asker->instead, sizeof asker->instead,
                 "it has no model '%.60s', or it is not ready", model);
    asker->asked_us = lq_clock_us();
}

int lq_triton_ask_ready(struct lq_triton_asker *asker, const char *url, const char *model,
                        const char *version, struct lq_error *err)
{
    char address[URL_MAX];
    int http_status;
    snprintf(address, sizeof address, "%s/v2/health/ready", url);
    int status = ask(asker, address, false, &http_status, err);
    if (status != LQ_OK)
        return status;
    if (http_status == 404 || http_status == 405 || http_status == 501)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "it answers HTTP %d: is this Triton's HTTP port?",
                       http_status);
    if (http_status != 200)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "the server is not ready");
    snprintf(address, sizeof address, "%s/v2/models/%s%s%s/ready", url, model,
             *version ? "/versions/" : "", version);
    status = ask(asker, address, false, &http_status, err);
    if (status != LQ_OK)
        return status;
    if (http_status == 200) {
        asker->asked_us = 0;
        return LQ_OK;
    }
    if (!asker->asked_us || lq_clock_us() - asker->asked_us > INDEX_AGAIN_MS * 1000u)
        ask_what_else(asker, url, model, version);
    return lq_fail(err, LQ_ERR_NOT_FOUND, "%s", asker->instead);
}
