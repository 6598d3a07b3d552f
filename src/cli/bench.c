// lacquer bench: drives a real server over real sockets and says how fast it is.
#include "cli/bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/place.h"
#include "cli/bench_paths.h"
#include "cli/bench_plot.h"
#include "cli/cli.h"
#include "cli/commit.h"
#include "cli/model_options.h"

enum { OPT_SECONDS = 0x300, OPT_YOLO, OPT_SCORE, OPT_FRAMES, OPT_URL, OPT_ROWS, OPT_PEERS,
       OPT_PEERS_DIR, OPT_USERS, OPT_FPS, OPT_PLOT, OPT_JSON, OPT_TRITON_URL,
       OPT_TRITON_MODEL, OPT_TENSORRT_MODEL, OPT_PACE };
enum { SERVE_ARGS_MAX = 48 };

static const struct argp_option options[] = {
    {"seconds", OPT_SECONDS, "N", 0, "How long each measurement lasts (default 5)", 1},
    {"model", 'm', "FILE", 0, "Model of the server (default: our own)", 1},
    {"model-yolo", OPT_YOLO, "FILE", 0, "YOLOv8-seg model for the yolo rows and for the "
     "usual stack", 1},
    {"score", OPT_SCORE, "0..1", 0, "Least confidence of that model's detections, the same for "
     "Lacquer and for the usual stack (default 0.25)", 1},
    {"frames", OPT_FRAMES, "PATH", 0, "Frames to send: a folder of JPEGs or a Motion JPEG file; "
     "brought to 640x480 (default: the tests' video of a moving hand)", 1},
    {"url", OPT_URL, "URL", 0, "Measure the server at http://HOST:PORT instead of starting one. "
     "Without this nothing but 127.0.0.1 is ever talked to", 1},
    {"triton-url", OPT_TRITON_URL, "URL", 0, "Triton server for the Triton rows", 1},
    {"triton-model", OPT_TRITON_MODEL, "NAME", 0, "The model's name there (default: its file's)", 1},
    {"tensorrt-model", OPT_TENSORRT_MODEL, "NAME", 0, "The same model in TensorRT on that server", 1},
    {"rows", OPT_ROWS, "LIST", 0, "Which rows: http, ws, ws-nails, triton, tensorrt, socketio, yolo-http, "
     "yolo-ws, yolo-ws-bf16 (default: all)", 1},
    {"peers", OPT_PEERS, NULL, 0, "Also measure the usual stack, bench/peers", 1},
    {"peers-dir", OPT_PEERS_DIR, "DIR", OPTION_HIDDEN, "Where bench/peers is", 1},
    {"users", OPT_USERS, "LIST", 0, "Numbers of users at once, one load row each "
     "(default 1,2,4,8; 0: none)", 1},
    {"fps", OPT_FPS, "F", 0, "Frames a second of each user's camera (default 30)", 1},
    {"pace", OPT_PACE, NULL, 0, "Users send what the server tells them to (docs/PROTOCOL.md)", 1},
    {"plot", OPT_PLOT, "FILE.svg", 0, "Draw latency against users", 1},
    {"json", OPT_JSON, NULL, 0, "Print the figures as JSON", 1},
    {0}};

struct lq_bench_row *lq_bench_row(struct lq_bench_report *report, const char *id)
{
    for (int i = 0; i < report->row_count; i++)
        if (strcmp(report->rows[i].id, id) == 0)
            return &report->rows[i];
    return NULL;
}

static void parse_rows(struct lq_bench_report *report, char *list, struct argp_state *state)
{
    for (int i = 0; i < report->row_count; i++)
        report->rows[i].wanted = false;
    for (char *rest, *id = strtok_r(list, ",", &rest); id; id = strtok_r(NULL, ",", &rest)) {
        struct lq_bench_row *row = lq_bench_row(report, id);
        if (!row)
            argp_error(state, "--rows does not know '%s'", id);
        else
            row->wanted = true;
    }
}

static void parse_users(struct lq_bench_options *chosen, char *list, struct argp_state *state)
{
    chosen->users_count = 0;
    for (char *each; (each = strsep(&list, ","));) {
        int users = (int)lq_cli_integer(state, "users", each, 0, LQ_BENCH_USERS_MAX);
        if (users > 0 && chosen->users_count == LQ_BENCH_LOADS_MAX)
            argp_error(state, "--users takes at most %d numbers", LQ_BENCH_LOADS_MAX);
        else if (users > 0)
            chosen->users[chosen->users_count++] = users;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct lq_bench *bench = state->input;
    struct lq_bench_options *chosen = &bench->options;
    switch (key) {
    case OPT_SECONDS: chosen->seconds = lq_cli_number(state, "seconds", arg, 0.1, 600); return 0;
    case 'm': chosen->model = arg; return 0;
    case OPT_YOLO: chosen->yolo = arg; chosen->yolo_asked = true; return 0;
    case OPT_SCORE: lq_cli_number(state, "score", arg, 0.001, 1); chosen->score = arg; return 0;
    case OPT_FRAMES: chosen->frames = arg; return 0;
    case OPT_URL: chosen->url = arg; return 0;
    case OPT_ROWS: parse_rows(&bench->report, arg, state); return 0;
    case OPT_TRITON_URL: chosen->triton_url = arg; return 0;
    case OPT_TRITON_MODEL: chosen->triton_model = arg; return 0;
    case OPT_TENSORRT_MODEL: chosen->tensorrt_model = arg; return 0;
    case OPT_PEERS: chosen->peers = true; return 0;
    case OPT_PEERS_DIR: chosen->peers_dir = arg; return 0;
    case OPT_USERS: parse_users(chosen, arg, state); return 0;
    case OPT_FPS: chosen->fps = lq_cli_number(state, "fps", arg, 0.1, 1000); return 0;
    case OPT_PACE: chosen->pace = true; return 0;
    case OPT_PLOT: chosen->plot = arg; return 0;
    case OPT_JSON: chosen->json = true; return 0;
    case ARGP_KEY_ARGS: // all that stands after "--"
        chosen->serve_args = state->argv + state->next;
        chosen->serve_args_count = state->argc - state->next;
        if (chosen->serve_args_count > SERVE_ARGS_MAX / 2)
            argp_error(state, "too many options for lacquer serve");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp lq_bench_argp = {
    .options = options, .parser = parse, .args_doc = "[-- OPTION OF LACQUER SERVE...]",
    .doc = "Measures a live server with frames of 640x480 over loopback sockets: frames a second, "
           "latency from sending to the reply's last byte, bytes and processor time, and how many "
           "users it carries. A row that cannot run here says why."};

void lq_bench_say(const char *what)
{
    if (isatty(STDERR_FILENO))
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
}

// How `lacquer serve` is started for some rows; NULL leaves an option out.
struct setting {
    const char *model, *precision, *score, *triton_url, *triton_model;
};

// ... and with what the user hands on.
static int start_serve(const struct lq_bench *bench, const struct setting *setting,
                       struct lq_bench_server *server, struct lq_error *err)
{
    const struct lq_bench_options *chosen = &bench->options;
    char port[8], *argv[SERVE_ARGS_MAX];
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
                                    {"--triton-model", setting->triton_model}};
    for (size_t i = 0; i < LQ_COUNT(pairs); i++)
        for (int j = 0; pairs[i][1] && j < 2; j++)
            argv[count++] = (char *)(uintptr_t)pairs[i][j];
    for (int i = 0; i < chosen->serve_args_count; i++)
        argv[count++] = chosen->serve_args[i];
    argv[count] = NULL;
    return lq_bench_server_start(server, argv, "/readyz", LQ_BENCH_READY_MS, err);
}

static void not_measured(struct lq_bench_row *row, const struct lq_error *err)
{
    row->measured = false;
    snprintf(row->reason, sizeof row->reason, "%.255s", err->text);
}

static struct lq_client_target target_of(const struct lq_url *url, const char *id)
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

static void measure_rows(struct lq_bench *bench, const char *const *ids, int count,
                         const struct lq_bench_server *server)
{
    for (int i = 0; i < count; i++) {
        struct lq_bench_row *row = lq_bench_row(&bench->report, ids[i]);
        const struct lq_client_target target = target_of(&server->url, ids[i]);
        if (row->wanted)
            lq_bench_measure_row(bench, &target, server->pid, row);
    }
}

static void measure_loads(struct lq_bench *bench, const struct lq_bench_server *server)
{
    const struct lq_bench_options *chosen = &bench->options;
    struct lq_client_target target = target_of(&server->url, "ws");
    target.pace = bench->report.pace = chosen->pace;
    for (int i = 0; i < chosen->users_count; i++) {
        struct lq_bench_load *load = &bench->report.loads[bench->report.load_count++];
        *load = (struct lq_bench_load){.users = chosen->users[i], .fps_asked = chosen->fps};
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

// One server, the rows that want it, and perhaps the load.
static int run_rows(struct lq_bench *bench, const char *const *ids, int count,
                    const struct setting *setting, bool loads, struct lq_error *err)
{
    struct lq_bench_server server = {0};
    loads &= bench->options.users_count > 0;
    if (!any_wanted(&bench->report, ids, count) && !loads)
        return LQ_OK;
    int status;
    if (bench->options.url)
        status = lq_url_parse(&server.url, bench->options.url, err);
    else
        status = start_serve(bench, setting, &server, err);
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

// A row on Triton, when the check finds that it can be measured.
static void run_triton_row(struct lq_bench *bench, const char *id, const char *model,
                           int (*check)(const struct lq_bench_options *chosen,
                                        struct lq_error *err))
{
    const char *const ids[] = {id};
    const struct lq_bench_options *chosen = &bench->options;
    const struct setting setting = {.model = chosen->model, .triton_url = chosen->triton_url,
                                    .triton_model = model};
    struct lq_error err;
    int status = chosen->url ? lq_fail(&err, LQ_ERR_UNAVAILABLE,
                                       "the server at --url has its own engine")
                             : check(chosen, &err);
    if (status != LQ_OK)
        skip_rows(bench, ids, 1, &err);
    else
        (void)!run_rows(bench, ids, 1, &setting, false, &err);
}

static void run_yolo(struct lq_bench *bench, const char *const *ids, int count,
                     const char *precision)
{
    const struct lq_bench_options *chosen = &bench->options;
    const struct setting setting = {chosen->yolo, precision, chosen->score, NULL, NULL};
    struct lq_error err;
    int status = LQ_OK;
    if (chosen->url)
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "the server at --url has its own model");
    else if (access(chosen->yolo, R_OK) != 0)
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "no model for it; name one with --model-yolo");
    else if (precision && !lq_cpu_has_bf16())
        status = lq_fail(&err, LQ_ERR_UNAVAILABLE, "this processor has no bf16 arithmetic");
    if (status != LQ_OK)
        skip_rows(bench, ids, count, &err);
    else
        (void)!run_rows(bench, ids, count, &setting, false, &err);
}

static void set_up(struct lq_bench *bench)
{
    static const struct lq_bench_row rows[] = {
        {.id = "http", .name = "base64 over HTTP + CPU"},
        {.id = "ws", .name = "WebSocket binary + CPU"},
        {.id = "ws-nails", .name = "WebSocket, nails replies + CPU"},
        {.id = "triton", .name = "WebSocket binary + Triton"},
        {.id = "tensorrt", .name = "WebSocket binary + TensorRT"},
        {.id = "socketio", .name = "Socket.IO binary + CPU"},
        {.id = "yolo-http", .name = "YOLOv8-seg model, base64 over HTTP + CPU"},
        {.id = "yolo-ws", .name = "YOLOv8-seg model, WebSocket binary + CPU"},
        {.id = "yolo-ws-bf16", .name = "YOLOv8-seg model, WebSocket + CPU, bf16"},
    };
    // Programs are run from there: not by one that was installed, whose source folder may be
    // anybody's.
    uid_t owner;
    bool built = lq_place_is_built(&owner);
    *bench = (struct lq_bench){.options = {
        .yolo = built ? LQ_BENCH_YOLO : "", .frames = built ? LQ_BENCH_FRAMES : "",
        .peers_dir = built ? LQ_BENCH_PEERS : "", .seconds = 5, .fps = 30,
        .users = {1, 2, 4, 8}, .users_count = 4}};
    bench->report.commit = LQ_COMMIT;
    bench->report.row_count = LQ_COUNT(rows);
    for (size_t i = 0; i < LQ_COUNT(rows); i++) {
        bench->report.rows[i] = rows[i];
        bench->report.rows[i].wanted = true;
    }
}

static int measure_all(struct lq_bench *bench, struct lq_error *err)
{
    static const char *const ids[] = {"http", "ws", "ws-nails", "socketio"};
    static const char *const yolo[] = {"yolo-http", "yolo-ws"}, *const bf16[] = {"yolo-ws-bf16"};
    const struct lq_bench_options *chosen = &bench->options;
    const struct setting usual = {.model = chosen->model};
    struct lq_bench_report *report = &bench->report;
    struct lq_url url;
    ssize_t len = readlink("/proc/self/exe", bench->self, sizeof bench->self - 1);
    if (len <= 0)
        return lq_fail(err, LQ_ERR_IO, "cannot find this program's own file");
    if (chosen->url && lq_url_parse(&url, chosen->url, err) != LQ_OK)
        return err->status;
    if (chosen->yolo_asked && access(chosen->yolo, R_OK) != 0)
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
    status = run_rows(bench, ids, 4, &usual, true, err);
    if (status != LQ_OK)
        return status;
    run_triton_row(bench, "triton", chosen->triton_model, lq_bench_check_triton);
    run_triton_row(bench, "tensorrt", chosen->tensorrt_model, lq_bench_check_tensorrt);
    run_yolo(bench, yolo, 2, NULL);
    run_yolo(bench, bf16, 1, "bf16");
    if (chosen->peers)
        lq_bench_run_peers(bench);
    return LQ_OK;
}

int lq_cli_bench(int argc, char **argv)
{
    static struct lq_bench bench; // too large for a stack
    struct lq_error err;
    set_up(&bench);
    if (argp_parse(&lq_bench_argp, argc, argv, 0, NULL, &bench) != 0)
        return LQ_EXIT_USAGE;
    int status = measure_all(&bench, &err);
    lq_bench_frames_release(&bench.frames);
    if (status != LQ_OK)
        return lq_cli_error(&err);
    if (bench.options.json)
        status = lq_bench_report_json(&bench.report, stdout);
    else
        lq_bench_report_print(&bench.report, stdout);
    if (status != LQ_OK)
        return lq_fail(&err, status, "cannot write the report"), lq_cli_error(&err);
    if (bench.options.plot && lq_bench_plot(&bench.report, bench.options.plot, &err) != LQ_OK)
        return lq_cli_error(&err);
    return LQ_EXIT_OK;
}
