// Measures a live server: rows (a way of sending, an engine), loads of many users, and the usual
// stack beside them. `lacquer bench` gives it options and prints its report.
// Threads: main. Owner: init/release by the caller; options point to the caller's texts.
#pragma once

#include "bench/report.h"
#include "bench/server.h"

enum { LQ_BENCH_SERVE_ARGS_MAX = 24 };

struct lq_bench_options {
    const char *model;      // NULL: what lacquer serve takes by itself
    const char *yolo;       // a YOLOv8-seg model for the rows beside the usual stack
    const char *nail;       // our own network as a .tflite: what both sides find nails with
    bool yolo_asked;        // named by the user: its absence is an error
    const char *score;      // least confidence, for both sides; NULL: both have 0.25
    const char *frames;
    const char *url;        // measure this server instead of starting one
    const char *triton_url;     // NULL: no Triton row
    const char *triton_model;   // NULL: called as the model's file
    const char *tensorrt_model; // a model that Triton runs in TensorRT; NULL: no such row
    const char *peers_dir;
    double seconds;
    double fps;
    bool rate_control; // users take part in rate control
    int users[LQ_BENCH_LOADS_MAX];
    int users_count;
    char *const *serve_args; // handed on to lacquer serve
    int serve_args_count;
    const char *plot;       // an SVG to draw; NULL: none
    bool peers, json;
    unsigned peer_set;      // a bit each; 0: all of them
};

struct lq_bench {
    struct lq_bench_options options;
    struct lq_bench_frames frames;
    struct lq_bench_report report;
    char self[4096]; // this program
};

// The default options, and all rows wanted.
void lq_bench_init(struct lq_bench *bench);
void lq_bench_release(struct lq_bench *bench);

// Measures all that is wanted; the report says of each row what came out, or why it was not
// measured. Fails where no row can be measured: bad options, no frames, no server.
LQ_MUST_CHECK int lq_bench_run(struct lq_bench *bench, struct lq_error *err);

// What the parts below share.

enum { LQ_BENCH_READY_MS = 90000 }; // the first start compiles the model

// Measures one row in both ways of flight.
void lq_bench_measure_row(const struct lq_bench *bench, const struct lq_client_target *target,
                          pid_t server, struct lq_bench_row *row);

// How `lacquer serve` is started; NULL leaves an option out.
struct lq_bench_setting {
    const char *model, *precision, *score, *triton_url, *triton_model, *engine;
    int ready_ms; // 0: as long as a model takes to compile for the processor
    // Whether the server does what the row says; NULL: it cannot do otherwise.
    int (*check)(const struct lq_url *url, struct lq_error *err);
};

// Starts it so, and with what the user hands on, on a free port of loopback.
LQ_MUST_CHECK int lq_bench_serve(const struct lq_bench *bench,
                                 const struct lq_bench_setting *setting,
                                 struct lq_bench_server *server, struct lq_error *err);
// What a client of this row asks of a server of Lacquer's.
struct lq_client_target lq_bench_target(const struct lq_url *url, const char *id);

// The row of that id; NULL when there is none.
struct lq_bench_row *lq_bench_row(struct lq_bench_report *report, const char *id);

// Whether the row on Triton, and the one on Triton with TensorRT, can be measured; else why not.
LQ_MUST_CHECK int lq_bench_check_triton(const struct lq_bench_options *chosen,
                                        struct lq_error *err);
LQ_MUST_CHECK int lq_bench_check_tensorrt(const struct lq_bench_options *chosen,
                                          struct lq_error *err);

// Whether this machine may have TensorRT in process; else why not.
LQ_MUST_CHECK int lq_bench_check_tensorrt_here(const struct lq_bench_options *chosen,
                                               struct lq_error *err);
// Whether that server of ours computes in TensorRT, by its own word (/metrics).
LQ_MUST_CHECK int lq_bench_check_runs_tensorrt(const struct lq_url *url, struct lq_error *err);

// Tells on stderr what is going on, when a person looks on.
void lq_bench_say(const char *what);

// Measures the page that finds nails by itself, in Chromium (bench/page).
void lq_bench_run_page(struct lq_bench *bench);

// Which of the usual stack's rows has this id; negative: none.
int lq_bench_peer(const char *id);
// Starts and measures bench/peers; its rows go to report.peers. Needs the rows of Lacquer's own.
void lq_bench_run_peers(struct lq_bench *bench);
