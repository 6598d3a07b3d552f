// The comparison server (bench/peers): runs it beside Lacquer with the same model and with its own,
// sends both the same frames with the same client, alternately, and stops it.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/cpu.h"
#include "base/parse_json.h"
#include "bench/bench.h"
#include "bench/rounds.h"

enum { OUTPUT_MAX = 64 * 1024, ARGS_MAX = 16, ALL_CORES = -1 };

static const char NOT_SET_UP[] = "its packages are missing; run bench/peers/setup.sh";

enum model { NAIL, YOLO, MODEL_COUNT };

struct peer {
    const char *id, *name;
    enum model model;
    enum lq_client_way way;
    int threads;  // ALL_CORES; 0: the runtime's default, which is one
    bool alone;   // only the model: no picture, no network
};

// The fastest configuration first.
static const struct peer peers[] = {
    {"nail-http", "Flask, all cores: our nail.tflite, base64 over HTTP", NAIL, LQ_CLIENT_HTTP,
     ALL_CORES, false},
    {"nail-socketio", "Flask-SocketIO, all cores: our nail.tflite, binary", NAIL,
     LQ_CLIENT_SOCKETIO, ALL_CORES, false},
    {"yolo-http", "Flask, all cores: YOLOv8s-seg, base64 over HTTP", YOLO, LQ_CLIENT_HTTP,
     ALL_CORES, false},
    {"yolo-socketio", "Flask-SocketIO, all cores: YOLOv8s-seg, binary", YOLO, LQ_CLIENT_SOCKETIO,
     ALL_CORES, false},
    {"yolo-alone", "TFLite alone, all cores: YOLOv8s-seg", YOLO, LQ_CLIENT_HTTP, ALL_CORES, true},
    {"yolo-http-one", "Flask as it comes, one core: YOLOv8s-seg, base64", YOLO, LQ_CLIENT_HTTP, 0,
     false},
    {"yolo-socketio-one", "Flask-SocketIO as it comes, one core: YOLOv8s-seg", YOLO,
     LQ_CLIENT_SOCKETIO, 0, false},
};

static const char *const http_path = "/process_base64",
                         *const socketio_path = "/socket.io/?EIO=4&transport=websocket";

// ---- Lacquer's side: one server for each model, and one with its default model

struct rivals {
    struct lq_bench_server same[MODEL_COUNT], own;
    bool running[MODEL_COUNT], own_running;
};

static const char *file_of(const struct lq_bench *bench, enum model model)
{
    return model == YOLO ? bench->options.yolo : bench->options.nail;
}

static void start_rivals(const struct lq_bench *bench, struct rivals *rivals)
{
    struct lq_error err;
    for (int i = 0; i < MODEL_COUNT; i++) {
        const struct lq_bench_setting setting = {
            .model = file_of(bench, (enum model)i),
            .score = i == YOLO ? bench->options.score : NULL};
        rivals->running[i] = access(setting.model, R_OK) == 0 &&
                             lq_bench_serve(bench, &setting, &rivals->same[i], &err) == LQ_OK;
    }
    const struct lq_bench_setting usual = {.model = bench->options.model};
    rivals->own_running = lq_bench_serve(bench, &usual, &rivals->own, &err) == LQ_OK;
}

static void stop_rivals(struct rivals *rivals)
{
    for (int i = 0; i < MODEL_COUNT; i++)
        if (rivals->running[i])
            lq_bench_server_stop(&rivals->same[i]);
    if (rivals->own_running)
        lq_bench_server_stop(&rivals->own);
}

// ---- the comparison servers

struct stack {
    char python[4096], script[4096], threads[16], port[8], seconds[32], frames[16];
    char *argv[ARGS_MAX];
};

// The packages are in .deps, two folders above bench/peers, where its setup.sh installs them.
static int prepare(const struct lq_bench *bench, const struct peer *peer, struct stack *stack,
                   int port, struct lq_error *err)
{
    const struct lq_bench_options *chosen = &bench->options;
    const char *model = file_of(bench, peer->model);
    if (!*chosen->peers_dir)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "an installed program does not know where "
                       "bench/peers is; name the folder with --peers-dir");
    snprintf(stack->python, sizeof stack->python, "%s/../../.deps/venv-peers/bin/python",
             chosen->peers_dir);
    snprintf(stack->script, sizeof stack->script, "%s/%s", chosen->peers_dir,
             peer->alone ? "alone.py" : "app.py");
    if (access(stack->python, X_OK) != 0)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "%s", NOT_SET_UP);
    if (access(model, R_OK) != 0)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "no model '%.100s'; bench/peers/setup.sh makes "
                       "one, or name one with --model-yolo", model);
    snprintf(stack->threads, sizeof stack->threads, "%d",
             peer->threads == ALL_CORES ? lq_cpu_count() : peer->threads);
    snprintf(stack->port, sizeof stack->port, "%d", port);
    snprintf(stack->seconds, sizeof stack->seconds, "%g", chosen->seconds / LQ_BENCH_ROUNDS);
    snprintf(stack->frames, sizeof stack->frames, "%d", LQ_BENCH_ROUND_FRAMES);
    const char *score = peer->alone || peer->model == NAIL ? NULL : chosen->score;
    const char *const words[] = {stack->python, stack->script, "--model", model, "--threads",
                                 stack->threads, peer->alone ? "--seconds" : "--port",
                                 peer->alone ? stack->seconds : stack->port,
                                 peer->alone ? "--frames" : NULL,
                                 peer->alone ? stack->frames : NULL,
                                 score ? "--score" : NULL, score};
    int count = 0;
    for (size_t i = 0; i < LQ_COUNT(words); i++)
        if (words[i])
            stack->argv[count++] = (char *)(uintptr_t)words[i];
    stack->argv[count] = NULL;
    return LQ_OK;
}

static int read_alone(const struct lq_buf *text, struct lq_bench_result *result,
                      struct lq_error *err)
{
    json_error_t where;
    json_t *root = lq_json_parse(text->data, text->len, 0, &where);
    const json_t *fps = json_object_get(root, "fps");
    *result = (struct lq_bench_result){
        .fps = json_number_value(fps),
        .replies = (int)json_integer_value(json_object_get(root, "frames")),
        .p50_ms = json_number_value(json_object_get(root, "p50_ms")),
        .p95_ms = json_number_value(json_object_get(root, "p95_ms")),
        .p99_ms = json_number_value(json_object_get(root, "p99_ms")),
        .cpu_percent = json_number_value(json_object_get(root, "cpu_percent")),
    };
    result->cpu_ms = result->fps > 0 ? 10 * result->cpu_percent / result->fps : -1;
    bool good = json_is_number(fps);
    json_decref(root);
    return good ? LQ_OK : lq_fail(err, LQ_ERR_SYNTAX, "alone.py does not print its figures");
}

static int run_alone(struct stack *stack, double seconds, struct lq_bench_result *result,
                     struct lq_error *err)
{
    struct lq_buf text;
    lq_buf_init(&text, OUTPUT_MAX);
    int status = lq_bench_run_program(stack->argv, (int)(seconds * 1000) + LQ_BENCH_READY_MS,
                                      &text, err);
    if (status == LQ_OK)
        status = read_alone(&text, result, err);
    lq_buf_release(&text);
    return status;
}

// ---- alternating measurements

struct match {
    const struct lq_bench *bench;
    const struct peer *peer;
    struct stack stack;
    struct lq_bench_server server;       // the peer's; unused if it is only a model
    struct lq_bench_rounds theirs, same, own;
};

static int measure(const struct match *match, const struct lq_client_target *target, pid_t server,
                   int in_flight, struct lq_bench_result *result, struct lq_error *err)
{
    const struct lq_bench *bench = match->bench;
    const struct lq_bench_plan plan = {
        .target = target, .frames = &bench->frames, .users = 1, .in_flight = in_flight,
        .seconds = bench->options.seconds / LQ_BENCH_ROUNDS, .replies_min = LQ_BENCH_ROUND_FRAMES,
        .server = server};
    return lq_bench_measure(&plan, result, err);
}

static int measure_theirs(struct match *match, int round, struct lq_error *err)
{
    const struct peer *peer = match->peer;
    struct lq_bench_result *one = &match->theirs.one[round], *two = &match->theirs.two[round];
    if (peer->alone) {
        int status = run_alone(&match->stack, match->bench->options.seconds, two, err);
        *one = *two;
        return status;
    }
    const struct lq_client_target target = {
        .url = match->server.url, .way = peer->way,
        .path = peer->way == LQ_CLIENT_HTTP ? http_path : socketio_path};
    int status = measure(match, &target, match->server.pid, 1, one, err);
    return status == LQ_OK ? measure(match, &target, match->server.pid, 2, two, err) : status;
}

// Measures a server of Lacquer. Only its frames a second are used, so there is no run with a single
// frame in flight.
static void measure_ours(const struct match *match, const struct lq_bench_server *server,
                         int round, struct lq_bench_rounds *rounds)
{
    struct lq_error err;
    const char *row = match->peer->way == LQ_CLIENT_HTTP && !match->peer->alone ? "http" : "ws";
    const struct lq_client_target target = lq_bench_target(&server->url, row);
    if (measure(match, &target, server->pid, 2, &rounds->two[round], &err) == LQ_OK)
        rounds->count = round + 1;
}

static int play(struct match *match, const struct rivals *rivals, struct lq_error *err)
{
    enum model model = match->peer->model;
    for (int round = 0; round < LQ_BENCH_ROUNDS; round++) {
        int status = measure_theirs(match, round, err);
        if (status != LQ_OK)
            return status;
        match->theirs.count = round + 1;
        if (rivals->running[model])
            measure_ours(match, &rivals->same[model], round, &match->same);
        if (rivals->own_running)
            measure_ours(match, &rivals->own, round, &match->own);
    }
    return LQ_OK;
}

static int run_peer(struct match *match, const struct rivals *rivals, struct lq_bench_row *row,
                    struct lq_error *err)
{
    int status = lq_bench_server_port(&match->server, err);
    if (status == LQ_OK)
        status = prepare(match->bench, match->peer, &match->stack, match->server.url.port, err);
    if (status != LQ_OK)
        return status;
    lq_bench_say(row->name);
    if (!match->peer->alone)
        status = lq_bench_server_start(&match->server, match->stack.argv, "/healthz",
                                       LQ_BENCH_READY_MS, err);
    if (status == LQ_OK)
        status = play(match, rivals, err);
    lq_bench_server_stop(&match->server);
    if (status != LQ_OK)
        return status;
    row->measured = true;
    lq_bench_rounds_sum(&match->theirs, row);
    row->same_fps = match->same.count > 0 ? lq_bench_rounds_fps(&match->same) : 0;
    row->ratio_same_model = lq_bench_rounds_ratio(&match->same, &match->theirs);
    row->ratio_own_model = lq_bench_rounds_ratio(&match->own, &match->theirs);
    return LQ_OK;
}

int lq_bench_peer(const char *id)
{
    for (int i = 0; i < (int)LQ_COUNT(peers); i++)
        if (strcmp(peers[i].id, id) == 0)
            return i;
    return -1;
}

static bool is_set_up(const struct lq_bench *bench, struct lq_error *err)
{
    struct stack stack;
    return prepare(bench, &peers[0], &stack, 0, err) == LQ_OK ||
           prepare(bench, &peers[2], &stack, 0, err) == LQ_OK;
}

void lq_bench_run_peers(struct lq_bench *bench)
{
    struct lq_bench_report *report = &bench->report;
    struct rivals rivals = {0};
    struct lq_error err;
    if (is_set_up(bench, &err))
        start_rivals(bench, &rivals);
    for (size_t i = 0; i < LQ_COUNT(peers); i++) {
        const struct peer *peer = &peers[i];
        if (bench->options.peer_set && !(bench->options.peer_set >> i & 1))
            continue;
        struct lq_bench_row *row = &report->peers[report->peer_count++];
        struct match match = {.bench = bench, .peer = peer};
        *row = (struct lq_bench_row){
            .id = peer->id, .name = peer->name, .wanted = true, .alone = peer->alone,
            .threads = peer->threads == ALL_CORES ? lq_cpu_count() : 1};
        if (run_peer(&match, &rivals, row, &err) != LQ_OK)
            snprintf(row->reason, sizeof row->reason, "%.255s", err.text);
    }
    stop_rivals(&rivals);
}
