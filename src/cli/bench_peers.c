// The usual stack (bench/peers): started, measured with the same frames by the same client, ended.
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/parse_json.h"
#include "cli/bench.h"

enum { OUTPUT_MAX = 64 * 1024, ARGS_MAX = 16 };

static const char NOT_SET_UP[] = "its packages are missing; run bench/peers/setup.sh";

struct peer {
    const char *id, *name;
    const char *rival;   // the row of Lacquer's with the same model that it is compared with
    const char *own;     // and with the model Lacquer runs by default
    enum lq_client_way way;
    int threads;         // 0: as many as the runtime takes by itself
    bool alone;
};

static const struct peer peers[] = {
    {"flask", "Flask + TFLite, base64 over HTTP", "yolo-http", "http", LQ_CLIENT_HTTP, 0, false},
    {"flask-socketio", "Flask-SocketIO + TFLite, binary", "yolo-ws", "ws", LQ_CLIENT_SOCKETIO, 0,
     false},
    {"flask-threads", "Flask + TFLite on 2 threads, base64 over HTTP", "yolo-http", "http",
     LQ_CLIENT_HTTP, 2, false},
    {"flask-socketio-threads", "Flask-SocketIO + TFLite on 2 threads, binary", "yolo-ws", "ws",
     LQ_CLIENT_SOCKETIO, 2, false},
    {"tflite", "that model in TFLite alone", "yolo-ws", "ws", LQ_CLIENT_HTTP, 0, true},
    {"tflite-threads", "that model in TFLite alone, on 2 threads", "yolo-ws", "ws", LQ_CLIENT_HTTP,
     2, true},
};

struct stack {
    char python[4096], script[4096], threads[16], port[8], seconds[32];
    char *argv[ARGS_MAX];
};

// Two folders up from bench/peers lies .deps, where its setup.sh put the packages.
static int prepare(const struct lq_bench *bench, const struct peer *peer, struct stack *stack,
                   int port, struct lq_error *err)
{
    const struct lq_bench_options *chosen = &bench->options;
    if (!*chosen->peers_dir)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "an installed program does not know where it "
                       "is; name the folder with --peers-dir");
    snprintf(stack->python, sizeof stack->python, "%s/../../.deps/venv-peers/bin/python",
             chosen->peers_dir);
    snprintf(stack->script, sizeof stack->script, "%s/%s", chosen->peers_dir,
             peer->alone ? "alone.py" : "app.py");
    if (access(stack->python, X_OK) != 0)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "%s", NOT_SET_UP);
    if (access(chosen->yolo, R_OK) != 0)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "no model for it; name one with --model-yolo");
    snprintf(stack->threads, sizeof stack->threads, "%d", peer->threads);
    snprintf(stack->port, sizeof stack->port, "%d", port);
    snprintf(stack->seconds, sizeof stack->seconds, "%g", chosen->seconds);
    const char *score = peer->alone ? NULL : chosen->score;
    const char *const words[] = {stack->python, stack->script, "--model", chosen->yolo,
                                 "--threads", stack->threads, peer->alone ? "--seconds" : "--port",
                                 peer->alone ? stack->seconds : stack->port,
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

static int run_alone(struct stack *stack, double seconds, struct lq_bench_row *row,
                     struct lq_error *err)
{
    struct lq_buf text;
    lq_buf_init(&text, OUTPUT_MAX);
    lq_bench_say(row->name);
    int status = lq_bench_run_program(stack->argv, (int)(seconds * 1000) + LQ_BENCH_READY_MS,
                                      &text, err);
    if (status == LQ_OK)
        status = read_alone(&text, &row->one, err);
    row->two = row->one;
    row->measured = status == LQ_OK;
    lq_buf_release(&text);
    return status;
}

static int run_live(const struct lq_bench *bench, const struct peer *peer, struct stack *stack,
                    struct lq_bench_server *server, struct lq_bench_row *row,
                    struct lq_error *err)
{
    int status = lq_bench_server_start(server, stack->argv, "/healthz", LQ_BENCH_READY_MS, err);
    if (status != LQ_OK)
        return status;
    bool http = peer->way == LQ_CLIENT_HTTP;
    const struct lq_client_target target = {
        .url = server->url, .way = peer->way,
        .path = http ? "/process_base64" : "/socket.io/?EIO=4&transport=websocket"};
    lq_bench_measure_row(bench, &target, server->pid, row);
    lq_bench_server_stop(server);
    return LQ_OK;
}

static double ratio(struct lq_bench_report *report, const char *id, double fps)
{
    const struct lq_bench_row *row = lq_bench_row(report, id);
    return row->measured && row->wanted && fps > 0 ? row->two.fps / fps : 0;
}

void lq_bench_run_peers(struct lq_bench *bench)
{
    struct lq_bench_report *report = &bench->report;
    for (size_t i = 0; i < LQ_COUNT(peers); i++) {
        const struct peer *peer = &peers[i];
        struct lq_bench_row *row = &report->peers[report->peer_count++];
        struct lq_bench_server server = {0};
        struct stack stack;
        struct lq_error err;
        *row = (struct lq_bench_row){.id = peer->id, .name = peer->name, .wanted = true,
                                     .threads = peer->threads, .alone = peer->alone};
        int status = lq_bench_server_port(&server, &err);
        if (status == LQ_OK)
            status = prepare(bench, peer, &stack, server.url.port, &err);
        if (status == LQ_OK)
            status = peer->alone ? run_alone(&stack, bench->options.seconds, row, &err)
                                 : run_live(bench, peer, &stack, &server, row, &err);
        if (status != LQ_OK)
            snprintf(row->reason, sizeof row->reason, "%.255s", err.text);
        if (row->measured) {
            row->ratio_same_model = ratio(report, peer->rival, row->two.fps);
            row->ratio_bf16 = ratio(report, "yolo-ws-bf16", row->two.fps);
            row->ratio_own_model = ratio(report, peer->own, row->two.fps);
        }
    }
}
