// Runs a real server over real sockets: the list of rows, and how each is measured.
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/place.h"
#include "bench/commit.h"
#include "bench/paths.h"

static void not_measured(struct lq_bench_row *row, const struct lq_error *err)
{
    row->measured = false;
    snprintf(row->reason, sizeof row->reason, "%.255s", err->text);
}

static void measure_rows(struct lq_bench *bench, const char *const *ids, int count,
                         const struct lq_bench_server *server)
{
    for (int i = 0; i < count; i++) {
        struct lq_bench_row *row = lq_bench_row(&bench->report, ids[i]);
        const struct lq_client_target target = lq_bench_target(&server->url, ids[i]);
        if (row->wanted)
            lq_bench_measure_row(bench, &target, server->pid, row);
    }
}

static void measure_loads(struct lq_bench *bench, const struct lq_bench_server *server)
{
    const struct lq_bench_options *chosen = &bench->options;
    struct lq_client_target target = lq_bench_target(&server->url, "ws");
    target.rate_control = bench->report.rate_control = chosen->rate_control;
    for (int i = 0; i < chosen->users_count; i++) {
        struct lq_bench_load *load = &bench->report.loads[bench->report.load_count++];
        *load = (struct lq_bench_load){.users = chosen->users[i], .fps_requested = chosen->fps};
        const struct lq_bench_plan plan = {
            .target = &target, .frames = &bench->frames, .users = load->users, .in_flight = 2,
            .fps = chosen->fps, .seconds = chosen->seconds, .server = server->pid};
        struct lq_error err;
        lq_bench_say("many users");
        load->measured = lq_bench_measure(&plan, &load->result, &err) == LQ_OK;
        if (!load->measured)
            snprintf(load->reason, sizeof load->reason, "%.255s", err.text);
    }
}

static bool any_wanted(struct lq_bench_report *report, const char *const *ids, int count)
{
    bool wanted = false;
    for (int i = 0; i < count; i++)
        wanted |= lq_bench_row(report, ids[i])->wanted;
    return wanted;
}

static void skip_rows(struct lq_bench *bench, const char *const *ids, int count,
                      const struct lq_error *err)
{
    for (int i = 0; i < count; i++)
        not_measured(lq_bench_row(&bench->report, ids[i]), err);
}

// Starts one server and measures the rows that need it, and the loads if requested.
static int run_rows(struct lq_bench *bench, const char *const *ids, int count,
                    const struct lq_bench_setting *setting, bool loads, struct lq_error *err)
{
    struct lq_bench_server server = {0};
    loads &= bench->options.users_count > 0;
    if (!any_wanted(&bench->report, ids, count) && !loads)
        return LQ_OK;
    int status;
    if (bench->options.url)
        status = lq_url_parse(&server.url, bench->options.url, err);
    else
        status = lq_bench_serve(bench, setting, &server, err);
    if (status == LQ_OK && setting->check && (status = setting->check(&server.url, err)) != LQ_OK)
        lq_bench_server_stop(&server);
    if (status != LQ_OK) {
        skip_rows(bench, ids, count, err);
        return status;
    }
    if (loads)
        bench->report.ready_ms = server.ready_ms;
    measure_rows(bench, ids, count, &server);
    if (loads)
        measure_loads(bench, &server);
    lq_bench_server_stop(&server);
    return LQ_OK;
}

// Measures a row on Triton, if the check finds that this is possible.
static void run_triton_row(struct lq_bench *bench, const char *id, const char *model,
                           int (*check)(const struct lq_bench_options *chosen,
                                        struct lq_error *err))
{
    const char *const ids[] = {id};
    const struct lq_bench_options *chosen = &bench->options;
    const struct lq_bench_setting setting = {
        .model = chosen->model, .triton_url = chosen->triton_url, .triton_model = model};
    struct lq_error err;
    int status = chosen->url ? lq_fail(&err, LQ_ERR_UNAVAILABLE,
                                       "the server at --url has its own engine")
                             : check(chosen, &err);
    if (status != LQ_OK)
        skip_rows(bench, ids, 1, &err);
    else
        (void)!run_rows(bench, ids, 1, &setting, false, &err);
}

// TensorRT builds its engines at the first start.
enum { TENSORRT_READY_MS = 600000 };

static void run_tensorrt_here(struct lq_bench *bench)
{
    static const char *const ids[] = {"tensorrt-here"};
    const struct lq_bench_options *chosen = &bench->options;
    const struct lq_bench_setting setting = {.model = chosen->model, .engine = "tensorrt",
                                    .ready_ms = TENSORRT_READY_MS,
                                    .check = lq_bench_check_runs_tensorrt};
    struct lq_error err;
    if (lq_bench_check_tensorrt_here(chosen, &err) != LQ_OK)
        skip_rows(bench, ids, 1, &err);
    else
        (void)!run_rows(bench, ids, 1, &setting, false, &err);
}

static void run_yolo(struct lq_bench *bench, const char *const *ids, int count,
                     const char *precision)
{
    const struct lq_bench_options *chosen = &bench->options;
    const struct lq_bench_setting setting = {.model = chosen->yolo, .precision = precision,
                                             .score = chosen->score};
    struct lq_error err;
    int status = LQ_OK;
    if (chosen->url)
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "the server at --url has its own model");
    else if (access(chosen->yolo, R_OK) != 0)
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "no model for it; bench/peers/setup.sh makes "
                         "one, or name one with --model-yolo");
    else if (precision && !lq_cpu_has_bf16())
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "this processor has no bf16 arithmetic");
    if (status != LQ_OK)
        skip_rows(bench, ids, count, &err);
    else
        (void)!run_rows(bench, ids, count, &setting, false, &err);
}

void lq_bench_init(struct lq_bench *bench)
{
    static const struct lq_bench_row rows[] = {
        {.id = "http", .name = "base64 over HTTP + CPU"},
        {.id = "ws", .name = "WebSocket binary + CPU"},
        {.id = "ws-nails", .name = "WebSocket, nails replies + CPU"},
        {.id = "triton", .name = "WebSocket binary + Triton"},
        {.id = "tensorrt", .name = "WebSocket binary + TensorRT"},
        {.id = "tensorrt-here", .name = "WebSocket + TensorRT in process"},
        {.id = "socketio", .name = "Socket.IO binary + CPU"},
        {.id = "page-wasm", .name = "in the page, WebAssembly"},
        {.id = "page-webgpu", .name = "in the page, WebGPU"},
        {.id = "yolo-http", .name = "YOLOv8-seg model, base64 over HTTP + CPU"},
        {.id = "yolo-ws", .name = "YOLOv8-seg model, WebSocket binary + CPU"},
        {.id = "yolo-ws-bf16", .name = "YOLOv8-seg model, WebSocket + CPU, bf16"},
    };
    // The bench runs programs in bench/, so only if it is itself run from its build folder: of an
    // installed program, any user might own the source folder.
    uid_t owner;
    bool built = lq_place_is_built(&owner);
    *bench = (struct lq_bench){.options = {
        .yolo = built ? LQ_BENCH_YOLO : "", .nail = built ? LQ_BENCH_NAIL : "",
        .frames = built ? LQ_BENCH_FRAMES : "",
        .peers_dir = built ? LQ_BENCH_PEERS : "", .seconds = 5, .fps = 30,
        .users = {1, 2, 4, 8}, .users_count = 4}};
    bench->report.commit = LQ_COMMIT;
    bench->report.row_count = LQ_COUNT(rows);
    for (size_t i = 0; i < LQ_COUNT(rows); i++) {
        bench->report.rows[i] = rows[i];
        bench->report.rows[i].wanted = true;
    }
}

int lq_bench_run(struct lq_bench *bench, struct lq_error *err)
{
    static const char *const ids[] = {"http", "ws", "ws-nails", "socketio"};
    static const char *const yolo[] = {"yolo-http", "yolo-ws"}, *const bf16[] = {"yolo-ws-bf16"};
    const struct lq_bench_options *chosen = &bench->options;
    const struct lq_bench_setting usual = {.model = chosen->model};
    struct lq_bench_report *report = &bench->report;
    struct lq_url url;
    ssize_t len = readlink("/proc/self/exe", bench->self, sizeof bench->self - 1);
    if (len <= 0)
        return lq_fail(err, LQ_ERR_IO, "cannot find this program's own file");
    if (chosen->url && lq_url_parse(&url, chosen->url, err) != LQ_OK)
        return err->status;
    if (chosen->yolo_requested && access(chosen->yolo, R_OK) != 0)
        return lq_fail(err, LQ_ERR_NOT_FOUND, "cannot read the model '%s'", chosen->yolo);
    if (!*chosen->frames)
        return lq_fail(err, LQ_ERR_ARGUMENT, "nothing to send: name a folder of "
                       "JPEGs or a video with --frames");
    int status = lq_bench_frames_load(&bench->frames, chosen->frames, err);
    if (status != LQ_OK)
        return status;
    report->seconds = chosen->seconds;
    report->frames = bench->frames.count;
    report->frame_bytes = (int)bench->frames.bytes_mean;
    lq_machine_name(report->machine, sizeof report->machine);
    report->busy_percent = lq_machine_busy_percent();
    report->load_average = lq_machine_load_average();
    report->busy = lq_machine_is_busy(report->busy_percent, report->load_average);
    status = run_rows(bench, ids, 4, &usual, true, err);
    if (status != LQ_OK)
        return status;
    run_triton_row(bench, "triton", chosen->triton_model, lq_bench_check_triton);
    run_triton_row(bench, "tensorrt", chosen->tensorrt_model, lq_bench_check_tensorrt);
    run_tensorrt_here(bench);
    run_yolo(bench, yolo, 2, NULL);
    run_yolo(bench, bf16, 1, "bf16");
    lq_bench_run_page(bench);
    if (chosen->peers)
        lq_bench_run_peers(bench);
    return LQ_OK;
}

void lq_bench_release(struct lq_bench *bench)
{
    lq_bench_frames_release(&bench->frames);
}
