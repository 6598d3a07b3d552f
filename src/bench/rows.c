// One row: starts the server that it needs, determines what its clients request, and measures it.
#include <string.h>

#include "bench/bench.h"

enum { OWN_ARGS_MAX = 20 }; // options that lq_bench_serve itself sets

struct lq_bench_row *lq_bench_row(struct lq_bench_report *report, const char *id)
{
    for (int i = 0; i < report->row_count; i++)
        if (strcmp(report->rows[i].id, id) == 0)
            return &report->rows[i];
    return NULL;
}

void lq_bench_say(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
}

static int measure_both(const struct lq_bench *bench, const struct lq_client_target *target,
                        pid_t server, struct lq_bench_row *row, struct lq_error *err)
{
    struct lq_bench_plan plan = {.target = target, .frames = &bench->frames, .users = 1,
                                 .in_flight = 1, .seconds = bench->options.seconds,
                                 .server = server};
    int status = lq_bench_measure(&plan, &row->one, err);
    plan.in_flight = 2;
    return status == LQ_OK ? lq_bench_measure(&plan, &row->two, err) : status;
}

void lq_bench_measure_row(const struct lq_bench *bench, const struct lq_client_target *target,
                          pid_t server, struct lq_bench_row *row)
{
    struct lq_error err;
    lq_bench_say(row->name);
    row->measured = measure_both(bench, target, server, row, &err) == LQ_OK;
    if (!row->measured)
        snprintf(row->reason, sizeof row->reason, "%.255s", err.text);
    else
        fprintf(stderr, "bench:   %.1f frames a second, p50 %.1f ms\n", row->two.fps,
                row->one.p50_ms);
}

int lq_bench_serve(const struct lq_bench *bench, const struct lq_bench_setting *setting,
                   struct lq_bench_server *server, struct lq_error *err)
{
    const struct lq_bench_options *chosen = &bench->options;
    char port[8], *argv[OWN_ARGS_MAX + LQ_BENCH_SERVE_ARGS_MAX];
    int count = 0;
    int status = lq_bench_server_port(server, err);
    if (status != LQ_OK)
        return status;
    snprintf(port, sizeof port, "%d", server->url.port);
    const char *const pairs[][2] = {{bench->self, "serve"}, {"--host", server->url.host},
                                    {"--port", port}, {"--model", setting->model},
                                    {"--precision", setting->precision},
                                    {"--score", setting->score},
                                    {"--triton-url", setting->triton_url},
                                    {"--triton-model", setting->triton_model},
                                    {"--engine", setting->engine}};
    for (size_t i = 0; i < LQ_COUNT(pairs); i++)
        for (int j = 0; pairs[i][1] && j < 2; j++)
            argv[count++] = (char *)(uintptr_t)pairs[i][j];
    for (int i = 0; i < chosen->serve_args_count; i++)
        argv[count++] = chosen->serve_args[i];
    argv[count] = NULL;
    return lq_bench_server_start(server, argv, "/readyz",
                                 setting->ready_ms ? setting->ready_ms : LQ_BENCH_READY_MS, err);
}

struct lq_client_target lq_bench_target(const struct lq_url *url, const char *id)
{
    struct lq_client_target target = {.url = *url, .way = LQ_CLIENT_WS, .path = "/ws",
                                      .in_order = true,
                                      .nails = strcmp(id, "ws-nails") == 0};
    if (strstr(id, "http")) {
        target.way = LQ_CLIENT_HTTP;
        target.path = "/api/process_base64";
    } else if (strcmp(id, "socketio") == 0) {
        target.way = LQ_CLIENT_SOCKETIO;
        target.path = "/socket.io/?EIO=4&transport=websocket";
    }
    return target;
}
