// What a bench found, and the two ways to say it: a table for people, JSON for programs.
// Threads: one. Owner: the caller; a report holds no memory of its own.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bench/run.h"

enum { LQ_BENCH_ROWS_MAX = 16, LQ_BENCH_LOADS_MAX = 16 };

// Lacquer's frames a second over the other's: the median of the rounds, least and most; 0: unknown.
struct lq_bench_ratio {
    double median, low, high;
};

// What the page does beside finding nails, for rows of the page.
struct lq_bench_page {
    bool present;
    double display_fps; // pictures on the screen a second
    double thread_ms;   // of the page's own thread for each of them
    double finder_fps;  // looks a second while nothing is painted or shown
    double bytes;       // that a first visitor fetches for it
};

struct lq_bench_row {
    const char *id;    // for --rows
    const char *name;
    bool wanted;
    bool measured;
    char reason[256];  // why it was not measured
    struct lq_bench_result one; // one frame in flight: latency, bytes
    struct lq_bench_result two; // two in flight: frames a second, processor time
    struct lq_bench_page page;
    // Comparison stack only:
    int threads;                // of its inference
    bool alone;                 // the model by itself: no picture, no network, one at a time
    int rounds;                 // in turn with Lacquer; what stands above are their medians
    double fps_low, fps_high;   // of two.fps, over the rounds
    double same_fps;            // Lacquer's with the same model, in between; 0: unknown
    struct lq_bench_ratio ratio_same_model, ratio_own_model; // … the latter with its own model
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
    double load_average; // of the minute before; negative: unknown
    bool busy;           // others use this machine: figures stand, ratios do not
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
    bool rate_control; // its users took part in rate control
};

void lq_bench_report_print(const struct lq_bench_report *report, FILE *out);
LQ_MUST_CHECK int lq_bench_report_json(const struct lq_bench_report *report, FILE *out);
