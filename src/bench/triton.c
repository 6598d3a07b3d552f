// The rows on NVIDIA Triton, and with TensorRT in process: checks that the server responds and that
// TensorRT really runs the model there; otherwise the row would show another engine's values.
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse_json.h"
#include "bench/bench.h"
#include "engine/http_client.h"
#include "engine/kserve.h"
#include "engine/triton_url.h"

enum { ANSWER_US = 5000000 };

static json_t *get_config(const char *address, const char *model, struct lq_error *err)
{
    char url[1024], server[LQ_REMOTE_URL_MAX];
    if (lq_triton_url_read(server, sizeof server, address, err) != LQ_OK)
        return NULL;
    struct lq_buf reply;
    struct lq_http *http = NULL;
    lq_buf_init(&reply, LQ_KSERVE_JSON_MAX);
    snprintf(url, sizeof url, "%s/v2/models/%s/config", server, model);
    struct lq_http_call call = {.url = url, .reply = &reply,
                                .deadline_us = lq_clock_us() + ANSWER_US};
    int status = lq_http_new(&http, err);
    if (status == LQ_OK)
        status = lq_http_call(http, &call, err);
    json_t *config = NULL;
    json_error_t where;
    if (status == LQ_OK && call.http_status == 200)
        config = lq_json_parse(reply.data, reply.len, 0, &where);
    if (status == LQ_OK && !config)
        lq_fail(err, LQ_ERR_UNAVAILABLE, "triton %.90s has no model '%.60s'", server, model);
    lq_http_free(http);
    lq_buf_release(&reply);
    return config;
}

// Whether the model runs in Triton's TensorRT backend, or in ONNX Runtime with TensorRT.
static bool runs_tensorrt(const json_t *config)
{
    const char *platform = json_string_value(json_object_get(config, "platform"));
    if (platform && strcmp(platform, "tensorrt_plan") == 0)
        return true;
    const json_t *accelerators = json_object_get(
        json_object_get(json_object_get(config, "optimization"), "execution_accelerators"),
        "gpu_execution_accelerator");
    bool found = false;
    for (size_t i = 0; i < json_array_size(accelerators); i++) {
        const char *name =
            json_string_value(json_object_get(json_array_get(accelerators, i), "name"));
        found |= name && strcmp(name, "tensorrt") == 0;
    }
    return found;
}

static bool has_nvidia(void)
{
    return access("/dev/nvidiactl", F_OK) == 0 || access("/dev/dxg", F_OK) == 0;
}

int lq_bench_check_tensorrt_here(const struct lq_bench_options *chosen, struct lq_error *err)
{
    if (chosen->url)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "the server at --url has its own engine");
    return has_nvidia() ? LQ_OK : lq_fail(err, LQ_ERR_UNAVAILABLE, "no NVIDIA GPU found");
}

int lq_bench_check_runs_tensorrt(const struct lq_url *url, struct lq_error *err)
{
    char address[512];
    struct lq_buf reply;
    struct lq_http *http = NULL;
    if (!lq_url_write(url, "/metrics", address, sizeof address))
        return lq_fail(err, LQ_ERR_ARGUMENT, "the server's address is too long");
    lq_buf_init(&reply, LQ_KSERVE_JSON_MAX);
    struct lq_http_call call = {.url = address, .reply = &reply,
                                .deadline_us = lq_clock_us() + ANSWER_US};
    int status = lq_http_new(&http, err);
    if (status == LQ_OK)
        status = lq_http_call(http, &call, err);
    if (status == LQ_OK)
        status = lq_buf_append(&reply, "", 1);
    if (status == LQ_OK && !strstr((const char *)reply.data, ",device=\"tensorrt\","))
        status = lq_fail(err, LQ_ERR_UNAVAILABLE, "TensorRT cannot be used here; `lacquer engines` "
                         "says what is missing");
    lq_http_free(http);
    lq_buf_release(&reply);
    return status;
}

int lq_bench_check_triton(const struct lq_bench_options *chosen, struct lq_error *err)
{
    if (chosen->triton_url)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_UNAVAILABLE, "no triton server is named; give --triton-url");
}

int lq_bench_check_tensorrt(const struct lq_bench_options *chosen, struct lq_error *err)
{
    if (!chosen->triton_url || !chosen->tensorrt_model)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "%s",
                       has_nvidia() ? "no model is named; give --triton-url and --tensorrt-model"
                                    : "no NVIDIA GPU found");
    json_t *config = get_config(chosen->triton_url, chosen->tensorrt_model, err);
    if (!config)
        return err->status;
    bool good = runs_tensorrt(config);
    json_decref(config);
    return good ? LQ_OK
                : lq_fail(err, LQ_ERR_UNAVAILABLE, "triton does not run '%.60s' in TensorRT",
                          chosen->tensorrt_model);
}
