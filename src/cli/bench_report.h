// What a bench found, and the two ways to say it: a table for people, JSON for programs.
// Threads: one. Owner: the caller; a report holds no memory of its own.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/bench_run.h"

enum { LQ_BENCH_ROWS_MAX = 16, LQ_BENCH_LOADS_MAX = 16 };

struct lq_bench_row {
    const char *id;    // for --rows
    const char *name;
    bool wanted;
    bool measured;
    char reason[256];  // why it was not measured
    struct lq_bench_result one; // one frame in flight: latency, bytes
    struct lq_bench_result two; // two in flight: frames a second, processor time
    // Comparison stack only:
    int threads;                // of its inference
    bool alone;                 // the model by itself: no picture, no network, one at a time
    double ratio_same_model;    // our frames a second with the same model over its; 0: unknown
    double ratio_bf16;          // the same with the same model in bf16
    double ratio_own_model;     // the same with the model Lacquer runs by default
};

struct lq_bench_load {
    int users;
    double fps_asked; // of each user's camera
    bool measured;
    char reason[256];
    struct lq_bench_result result;
};

struct lq_bench_report {
    char machine[320];
    double busy_percent; // of all cores, just before
    const char *commit;
    double seconds;      // a measurement
    int frames, frame_bytes;
    double ready_ms;     // from starting `lacquer serve` to ready; 0: not started here
    struct lq_bench_row rows[LQ_BENCH_ROWS_MAX];
    int row_count;
    struct lq_bench_row peers[LQ_BENCH_ROWS_MAX];
    int peer_count;
    struct lq_bench_load loads[LQ_BENCH_LOADS_MAX];
    int load_count;
    bool pace; // its users sent what they were told to
};

void lq_bench_report_print(const struct lq_bench_report *report, FILE *out);
LQ_MUST_CHECK int lq_bench_report_json(const struct lq_bench_report *report, FILE *out);
