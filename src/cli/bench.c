// lacquer bench: its options and its report.
#include <string.h>

#include "bench/bench.h"
#include "bench/plot.h"
#include "cli/cli.h"
#include "cli/number.h"

static void parse_rows(struct argp_state *state, void *input, char *list)
{
    struct lq_bench_report *report = &((struct lq_bench *)input)->report;
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

static void parse_peers(struct argp_state *state, void *input, char *list)
{
    struct lq_bench_options *chosen = &((struct lq_bench *)input)->options;
    chosen->peers = true;
    for (char *each; list && (each = strsep(&list, ","));) {
        int index = lq_bench_peer(each);
        if (index < 0)
            argp_error(state, "--peers does not know '%s'", each);
        else
            chosen->peer_set |= 1u << index;
    }
}

static void parse_users(struct argp_state *state, void *input, char *list)
{
    struct lq_bench_options *chosen = &((struct lq_bench *)input)->options;
    chosen->users_count = 0;
    for (char *each; (each = strsep(&list, ","));) {
        int users = (int)lq_cli_integer(state, "users", each, 0, LQ_BENCH_USERS_MAX);
        if (users > 0 && chosen->users_count == LQ_BENCH_LOADS_MAX)
            argp_error(state, "--users takes at most %d numbers", LQ_BENCH_LOADS_MAX);
        else if (users > 0)
            chosen->users[chosen->users_count++] = users;
    }
}

static void set_yolo(struct argp_state *state, void *input, char *path)
{
    struct lq_bench_options *chosen = &((struct lq_bench *)input)->options;
    (void)state;
    chosen->yolo = path;
    chosen->yolo_requested = true;
}

// The text is passed on unchanged.
static void set_score(struct argp_state *state, void *input, char *text)
{
    lq_cli_number(state, "score", text, 0.001, 1);
    ((struct lq_bench *)input)->options.score = text;
}

static const struct lq_cli_option options[] = {
    {"seconds", "N", "How long each measurement lasts (default 5)", 1,
     LQ_CLI_TAKE_NUMBER(struct lq_bench, options.seconds, 0.1, 600)},
    {"model", "FILE", "Model of the server (default: Lacquer's own)", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.model), .letter = 'm'},
    {"model-yolo", "FILE", "YOLOv8-seg model for the yolo rows and for the usual stack", 1,
     LQ_CLI_TAKE_CALL(set_yolo)},
    {"score", "0..1",
     "Least confidence of that model's detections, the same for Lacquer and for the usual stack "
     "(default 0.25)", 1, LQ_CLI_TAKE_CALL(set_score)},
    {"frames", "PATH",
     "Frames to send: a folder of JPEGs or a Motion JPEG file; scaled to 640x480 (default: the "
     "tests' video of a moving hand)", 1, LQ_CLI_TAKE_TEXT(struct lq_bench, options.frames)},
    {"url", "URL",
     "Measure the server at http://HOST:PORT instead of starting one. Without this option the "
     "bench connects only to 127.0.0.1", 1, LQ_CLI_TAKE_TEXT(struct lq_bench, options.url)},
    {"triton-url", "URL", "Triton server for the Triton rows", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.triton_url)},
    {"triton-model", "NAME", "The model's name on the server (default: its file's name)", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.triton_model)},
    {"tensorrt-model", "NAME", "The same model in TensorRT on that server", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.tensorrt_model)},
    {"rows", "LIST",
     "Which rows: http, ws, ws-nails, triton, tensorrt, tensorrt-here, socketio, page-wasm, "
     "page-webgpu, yolo-http, yolo-ws, yolo-ws-bf16 (default: all)", 1,
     LQ_CLI_TAKE_CALL(parse_rows)},
    {"peers", "LIST",
     "Also measure the usual stack, bench/peers, alternating with Lacquer (with a list, only these "
     "ids: nail-http, nail-socketio, yolo-http, yolo-socketio, yolo-alone, yolo-http-one, "
     "yolo-socketio-one)", 1, LQ_CLI_TAKE_CALL(parse_peers), .flags = OPTION_ARG_OPTIONAL},
    {"peers-dir", "DIR", "Where bench/peers is", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.peers_dir), .flags = OPTION_HIDDEN},
    {"users", "LIST", "Numbers of users at once, one load row each (default 1,2,4,8; 0: none)", 1,
     LQ_CLI_TAKE_CALL(parse_users)},
    {"fps", "F", "Frames a second of each user's camera (default 30)", 1,
     LQ_CLI_TAKE_NUMBER(struct lq_bench, options.fps, 0.1, 1000)},
    {"rate-control", NULL, "Users take part in rate control (docs/PROTOCOL.md)", 1,
     LQ_CLI_TAKE_ON(struct lq_bench, options.rate_control)},
    {"pace", NULL, "--rate-control until 1.0", 1,
     LQ_CLI_TAKE_ON(struct lq_bench, options.rate_control), .flags = OPTION_HIDDEN},
    {"plot", "FILE.svg", "Draw latency against users", 1,
     LQ_CLI_TAKE_TEXT(struct lq_bench, options.plot)},
    {"json", NULL, "Print the figures as JSON", 1, LQ_CLI_TAKE_ON(struct lq_bench, options.json)},
    {0}};

// Takes everything after "--".
static void take_serve_options(struct argp_state *state, void *input)
{
    struct lq_bench_options *chosen = &((struct lq_bench *)input)->options;
    chosen->serve_args = state->argv + state->next;
    chosen->serve_args_count = state->argc - state->next;
    if (chosen->serve_args_count > LQ_BENCH_SERVE_ARGS_MAX)
        argp_error(state, "too many options for lacquer serve");
}

static int run_command(int argc, char **argv)
{
    static struct lq_bench bench; // too large for a stack
    struct lq_error err;
    lq_bench_init(&bench);
    lq_cli_parse(&lq_bench_command.line, argc, argv, &bench);
    int status = lq_bench_run(&bench, &err);
    lq_bench_release(&bench);
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

const struct lq_command lq_bench_command = {
    "bench", "measure the speed of a live server on this machine", run_command,
    {.options = options, .args_doc = "[-- OPTION OF LACQUER SERVE...]",
     .rest = take_serve_options,
     .doc = "Measures a live server with frames of 640x480 over loopback sockets: frames a "
            "second, latency from sending to the reply's last byte, bytes and processor time, "
            "and how many users it can serve. A row that cannot run here says why."}};
