// lacquer bench: its options and its report.
#include <string.h>

#include "bench/bench.h"
#include "bench/plot.h"
#include "cli/cli.h"
#include "cli/number.h"

enum { OPT_SECONDS = 0x300, OPT_YOLO, OPT_SCORE, OPT_FRAMES, OPT_URL, OPT_ROWS, OPT_PEERS,
       OPT_PEERS_DIR, OPT_USERS, OPT_FPS, OPT_PLOT, OPT_JSON, OPT_TRITON_URL,
       OPT_TRITON_MODEL, OPT_TENSORRT_MODEL, OPT_RATE_CONTROL };

static const struct argp_option options[] = {
    {"seconds", OPT_SECONDS, "N", 0, "How long each measurement lasts (default 5)", 1},
    {"model", 'm', "FILE", 0, "Model of the server (default: Lacquer's own)", 1},
    {"model-yolo", OPT_YOLO, "FILE", 0, "YOLOv8-seg model for the yolo rows and for the "
     "usual stack", 1},
    {"score", OPT_SCORE, "0..1", 0, "Least confidence of that model's detections, the same for "
     "Lacquer and for the usual stack (default 0.25)", 1},
    {"frames", OPT_FRAMES, "PATH", 0,
     "Frames to send: a folder of JPEGs or a Motion JPEG file; scaled to 640x480 (default: the "
     "tests' video of a moving hand)", 1},
    {"url", OPT_URL, "URL", 0,
     "Measure the server at http://HOST:PORT instead of starting one. Without this option the "
     "bench connects only to 127.0.0.1", 1},
    {"triton-url", OPT_TRITON_URL, "URL", 0, "Triton server for the Triton rows", 1},
    {"triton-model", OPT_TRITON_MODEL, "NAME", 0,
     "The model's name on the server (default: its file's name)",
     1},
    {"tensorrt-model", OPT_TENSORRT_MODEL, "NAME", 0, "The same model in TensorRT on that server",
     1},
    {"rows", OPT_ROWS, "LIST", 0, "Which rows: http, ws, ws-nails, triton, tensorrt, "
     "tensorrt-here, socketio, page-wasm, page-webgpu, yolo-http, yolo-ws, yolo-ws-bf16 "
     "(default: all)", 1},
    {"peers", OPT_PEERS, "LIST", OPTION_ARG_OPTIONAL,
     "Also measure the usual stack, bench/peers, alternating with Lacquer (with a list, only these "
     "ids: nail-http, nail-socketio, yolo-http, yolo-socketio, yolo-alone, yolo-http-one, "
     "yolo-socketio-one)", 1},
    {"peers-dir", OPT_PEERS_DIR, "DIR", OPTION_HIDDEN, "Where bench/peers is", 1},
    {"users", OPT_USERS, "LIST", 0, "Numbers of users at once, one load row each "
     "(default 1,2,4,8; 0: none)", 1},
    {"fps", OPT_FPS, "F", 0, "Frames a second of each user's camera (default 30)", 1},
    {"rate-control", OPT_RATE_CONTROL, NULL, 0,
     "Users take part in rate control (docs/PROTOCOL.md)", 1},
    {"pace", OPT_RATE_CONTROL, NULL, OPTION_HIDDEN, "--rate-control until 1.0", 1},
    {"plot", OPT_PLOT, "FILE.svg", 0, "Draw latency against users", 1},
    {"json", OPT_JSON, NULL, 0, "Print the figures as JSON", 1},
    {0}};

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

static void parse_peers(struct lq_bench_options *chosen, char *list, struct argp_state *state)
{
    chosen->peers = true;
    for (char *each; list && (each = strsep(&list, ","));) {
        int index = lq_bench_peer(each);
        if (index < 0)
            argp_error(state, "--peers does not know '%s'", each);
        else
            chosen->peer_set |= 1u << index;
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
    case OPT_PEERS: parse_peers(chosen, arg, state); return 0;
    case OPT_PEERS_DIR: chosen->peers_dir = arg; return 0;
    case OPT_USERS: parse_users(chosen, arg, state); return 0;
    case OPT_FPS: chosen->fps = lq_cli_number(state, "fps", arg, 0.1, 1000); return 0;
    case OPT_RATE_CONTROL: chosen->rate_control = true; return 0;
    case OPT_PLOT: chosen->plot = arg; return 0;
    case OPT_JSON: chosen->json = true; return 0;
    case ARGP_KEY_ARGS: // all that stands after "--"
        chosen->serve_args = state->argv + state->next;
        chosen->serve_args_count = state->argc - state->next;
        if (chosen->serve_args_count > LQ_BENCH_SERVE_ARGS_MAX)
            argp_error(state, "too many options for lacquer serve");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp lq_bench_argp = {
    .options = options, .parser = parse, .args_doc = "[-- OPTION OF LACQUER SERVE...]",
    .doc = "Measures a live server with frames of 640x480 over loopback sockets: frames a second, "
           "latency from sending to the reply's last byte, bytes and processor time, and how many "
           "users it can serve. A row that cannot run here says why."};

int lq_cli_bench(int argc, char **argv)
{
    static struct lq_bench bench; // too large for a stack
    struct lq_error err;
    lq_bench_init(&bench);
    if (argp_parse(&lq_bench_argp, argc, argv, 0, NULL, &bench) != 0)
        return LQ_EXIT_USAGE;
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
