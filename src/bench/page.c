// The rows for on-device detection in the page: headless Chromium with the frames as its camera
// (bench/page/device.mjs), which prints its figures as JSON.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/parse_json.h"
#include "bench/bench.h"

enum { OUTPUT_MAX = 64 * 1024, PATH_SIZE = 4096, START_MS = 300000 };

static const struct { const char *id, *backend; } backends[] = {{"page-wasm", "wasm"},
                                                                {"page-webgpu", "webgpu"}};

static int read_figures(const struct lq_buf *text, struct lq_bench_row *row, struct lq_error *err)
{
    json_error_t where;
    json_t *root = lq_json_parse(text->data, text->len, 0, &where);
    const char *reason = json_string_value(json_object_get(root, "reason"));
    int status = LQ_OK;
    if (reason)
        status = lq_fail(err, LQ_ERR_UNAVAILABLE, "%.200s", reason);
    else if (!json_is_number(json_object_get(root, "fps")))
        status = lq_fail(err, LQ_ERR_SYNTAX, "bench/page/device.mjs does not print its figures");
    struct lq_bench_result result = {
        .fps = json_number_value(json_object_get(root, "fps")),
        .replies = (int)json_integer_value(json_object_get(root, "replies")),
        .p50_ms = json_number_value(json_object_get(root, "p50_ms")),
        .p95_ms = json_number_value(json_object_get(root, "p95_ms")),
        .p99_ms = json_number_value(json_object_get(root, "p99_ms")),
        .cpu_percent = -1,
        .cpu_ms = -1,
    };
    row->one = row->two = result;
    row->one.replies = 0; // there is only one measurement
    row->page = (struct lq_bench_page){
        .display_fps = json_number_value(json_object_get(root, "display_fps")),
        .thread_ms = json_number_value(json_object_get(root, "thread_ms")),
        .finder_fps = json_number_value(json_object_get(root, "finder_fps")),
        .bytes = json_number_value(json_object_get(root, "bytes")),
        .present = status == LQ_OK,
    };
    json_decref(root);
    return status;
}

static int measure(const struct lq_bench *bench, const char *backend, struct lq_bench_row *row,
                   struct lq_error *err)
{
    char script[PATH_SIZE], seconds[32];
    const char *peers = bench->options.peers_dir; // bench/page is beside it
    if (!*peers)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "an installed program has no bench/page; run the "
                       "bench from the source folder's build");
    snprintf(script, sizeof script, "%s/../page/device.mjs", peers);
    snprintf(seconds, sizeof seconds, "%g", bench->options.seconds);
    char env[] = "/usr/bin/env", node[] = "node", program[PATH_SIZE + 16];
    snprintf(program, sizeof program, "LACQUER=%s", bench->self);
    char *argv[] = {env, program, node, script, (char *)(uintptr_t)backend, seconds, NULL};
    struct lq_buf text;
    lq_buf_init(&text, OUTPUT_MAX);
    int ms = (int)(bench->options.seconds * 1000) + START_MS;
    int status = lq_bench_run_program(argv, ms, &text, err);
    if (status == LQ_OK)
        status = read_figures(&text, row, err);
    lq_buf_release(&text);
    return status;
}

void lq_bench_run_page(struct lq_bench *bench)
{
    struct lq_error err;
    for (size_t i = 0; i < LQ_COUNT(backends); i++) {
        struct lq_bench_row *row = lq_bench_row(&bench->report, backends[i].id);
        if (!row->wanted)
            continue;
        lq_bench_say(row->name);
        row->measured = measure(bench, backends[i].backend, row, &err) == LQ_OK;
        if (!row->measured)
            snprintf(row->reason, sizeof row->reason, "%.255s", err.text);
    }
}
