// Measures a live server: rows (one way of sending with one engine), loads of many users, and
// comparison servers built on the usual stack. `lacquer bench` sets its options and prints its
// report.
// Threads: main. Owner: init/release by the caller; options point to the caller's texts.
#pragma once

#include "bench/report.h"
#include "bench/server.h"

enum { LQ_BENCH_SERVE_ARGS_MAX = 24 };

struct lq_bench_options {
    const char *model;      // NULL: the default of lacquer serve
    const char *yolo;       // a YOLOv8-seg model, for the rows compared with the usual stack
    const char *nail;       // our own network as .tflite, used by both sides
    bool yolo_requested;        // set explicitly: its absence is an error
    const char *score;      // minimum confidence, for both sides; NULL: 0.25
    const char *frames;
    const char *url;        // measure this server instead of starting one
    const char *triton_url;     // NULL: no Triton row
    const char *triton_model;   // NULL: the model file's stem
    const char *tensorrt_model; // a model that Triton runs with TensorRT; NULL: no such row
    const char *peers_dir;
    double seconds;
    double fps;
    bool rate_control; // clients use rate control
    int users[LQ_BENCH_LOADS_MAX];
    int users_count;
    char *const *serve_args; // passed on to lacquer serve
    int serve_args_count;
    const char *plot;       // an SVG file to write; NULL: none
    bool peers, json;
    unsigned peer_set;      // one bit each; 0: all of them
};

struct lq_bench {
    struct lq_bench_options options;
    struct lq_bench_frames frames;
    struct lq_bench_report report;
    char self[4096]; // path of this program
};

// Sets the default options and selects all rows.
void lq_bench_init(struct lq_bench *bench);
void lq_bench_release(struct lq_bench *bench);

// Measures everything selected. The report gives each row's result, or why it was not measured.
// Fails only if no row can be measured: bad options, no frames, no server.
LQ_MUST_CHECK int lq_bench_run(struct lq_bench *bench, struct lq_error *err);

// Shared by the parts below.

enum { LQ_BENCH_READY_MS = 90000 }; // the first start compiles the model

// Measures one row with one frame in flight, and with two.
void lq_bench_measure_row(const struct lq_bench *bench, const struct lq_client_target *target,
                          pid_t server, struct lq_bench_row *row);

// Options for starting `lacquer serve`; NULL omits an option.
struct lq_bench_setting {
    const char *model, *precision, *score, *triton_url, *triton_model, *engine;
    int ready_ms; // 0: the time it takes to compile a model for the processor
    // Checks that the server does what the row claims; NULL: no check needed.
    int (*check)(const struct lq_url *url, struct lq_error *err);
};

// Starts it with this setting and the user's own arguments, on a free loopback port.
LQ_MUST_CHECK int lq_bench_serve(const struct lq_bench *bench,
                                 const struct lq_bench_setting *setting,
                                 struct lq_bench_server *server, struct lq_error *err);
// What a client of this row requests from a Lacquer server.
struct lq_client_target lq_bench_target(const struct lq_url *url, const char *id);

// The row with that id, or NULL.
struct lq_bench_row *lq_bench_row(struct lq_bench_report *report, const char *id);

// Whether the rows for Triton, and for Triton with TensorRT, can be measured; if not, why.
LQ_MUST_CHECK int lq_bench_check_triton(const struct lq_bench_options *chosen,
                                        struct lq_error *err);
LQ_MUST_CHECK int lq_bench_check_tensorrt(const struct lq_bench_options *chosen,
                                          struct lq_error *err);

// Whether this machine can use TensorRT in process; if not, why.
LQ_MUST_CHECK int lq_bench_check_tensorrt_here(const struct lq_bench_options *chosen,
                                               struct lq_error *err);
// Whether our server reports (/metrics) that it computes with TensorRT.
LQ_MUST_CHECK int lq_bench_check_runs_tensorrt(const struct lq_url *url, struct lq_error *err);

// Prints progress on stderr, if that is a terminal.
void lq_bench_say(const char *what);

// Measures the page with on-device detection in Chromium (bench/page).
void lq_bench_run_page(struct lq_bench *bench);

// The index of the comparison row with this id; negative: none.
int lq_bench_peer(const char *id);
// Starts and measures bench/peers; results go to report.peers. Needs the results of Lacquer's own
// rows.
void lq_bench_run_peers(struct lq_bench *bench);
