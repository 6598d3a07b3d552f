// Reads struct lacquer_options.
#include "lib/library.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int read_precision(struct lq_model_options *model, const char *name, struct lq_error *err)
{
    if (!name || strcmp(name, "auto") == 0)
        model->precision = LQ_PRECISION_AUTO;
    else if (strcmp(name, "f32") == 0)
        model->precision = LQ_PRECISION_F32;
    else if (strcmp(name, "bf16") == 0)
        model->precision = LQ_PRECISION_BF16;
    else
        return lq_fail(err, LQ_ERR_ARGUMENT, "unknown precision '%.20s': it is f32 or bf16", name);
    return LQ_OK;
}

static int read_servers(struct lq_lib_options *own, const char *servers, struct lq_error *err)
{
    struct lq_remote_options *remote = &own->model.remote;
    char *rest = own->servers;
    if (!servers)
        return LQ_OK;
    if (strlen(servers) >= sizeof own->servers)
        return lq_fail(err, LQ_ERR_ARGUMENT, "servers is longer than %zu", sizeof own->servers - 1);
    strcpy(own->servers, servers);
    for (char *one = strtok_r(rest, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        if (remote->url_count == LQ_REMOTE_URLS_MAX)
            return lq_fail(err, LQ_ERR_ARGUMENT, "more than %d servers", LQ_REMOTE_URLS_MAX);
        remote->urls[remote->url_count++] = one + strspn(one, " ");
    }
    if (remote->url_count > 0 && !own->model.engine)
        own->model.engine = "triton";
    return LQ_OK;
}

// Sets the model file's path and the model's name on the server. If only the name is given and
// there is no fallback, no local file is needed, and nothing known of Lacquer's own model applies.
static void settle_names(struct lq_lib_options *own, const struct lacquer_options *given)
{
    struct lq_remote_options *remote = &own->model.remote;
    own->path = given->model ? given->model : lq_model_default_path();
    remote->model = given->server_model;
    if (remote->model && !given->model && !remote->fallback) {
        remote->no_file = true;
        own->path = remote->model;
    }
    if (!remote->model) {
        const char *slash = strrchr(own->path, '/'), *base = slash ? slash + 1 : own->path;
        snprintf(own->stem, sizeof own->stem, "%.*s", (int)strcspn(base, "."), base);
        remote->model = own->stem;
    }
}

int lq_lib_read_options(struct lq_lib_options *own, const struct lacquer_options *given,
                        struct lq_error *err)
{
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    memset(own, 0, sizeof *own);
    int status = !given ? LQ_OK
                        : lq_lib_copy_in(&options, sizeof options, given,
                                         offsetof(struct lacquer_options, threads) + sizeof(int),
                                         "options", err);
    if (status != LQ_OK)
        return status;
    if (options.threads < 0 || options.server_timeout_ms < 0 ||
        !(options.confidence_min >= 0 && options.confidence_min <= 1) ||
        (unsigned)options.tune > LACQUER_THROUGHPUT ||
        (unsigned)options.check > LACQUER_CHECK_NEVER)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "options: threads and times are not negative, confidence_min is 0 to 1");
    own->check = options.check;
    own->model = (struct lq_model_options){
        .engine = options.engine, .cache_dir = options.cache_dir, .threads = options.threads,
        .tune = options.tune == LACQUER_THROUGHPUT ? LQ_TUNE_THROUGHPUT : LQ_TUNE_LATENCY,
        .score_min = options.confidence_min,
        .remote = {.fallback = options.fallback, .timeout_ms = options.server_timeout_ms}};
    status = read_precision(&own->model, options.precision, err);
    if (status == LQ_OK)
        status = read_servers(own, options.servers, err);
    if (status == LQ_OK)
        settle_names(own, &options);
    return status;
}
