// The results of a bench, and their two output formats: a table for people, JSON for programs.
// Threads: one. Owner: the caller; a report holds no memory of its own.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bench/run.h"

enum { LQ_BENCH_ROWS_MAX = 16, LQ_BENCH_LOADS_MAX = 16 };

// Lacquer's frames a second divided by the other's: median, minimum and maximum of the rounds; 0:
// unknown.
struct lq_bench_ratio {
    double median, low, high;
};

// For rows of the page: what it does besides detecting nails.
struct lq_bench_page {
    bool present;
    double display_fps; // pictures shown per second
    double thread_ms;   // time of the page's main thread per picture
    double finder_fps;  // detections a second while nothing is painted or shown
    double bytes;       // that a first visitor downloads for it
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
    int threads;                // threads of its inference
    bool alone;                 // only the model: no picture, no network, one at a time
    int rounds;                 // alternating with Lacquer; the values above are their medians
    double fps_low, fps_high;   // of two.fps, over the rounds
    double same_fps;            // Lacquer's with the same model, measured in between; 0: unknown
    // … the latter: Lacquer with its own model
    struct lq_bench_ratio ratio_same_model, ratio_own_model;
};

struct lq_bench_load {
    int users;
    double fps_requested; // of each user's camera
    bool measured;
    char reason[256];
    struct lq_bench_result result;
};

struct lq_bench_report {
    char machine[320];
    double busy_percent; // of all cores, just before the measurement
    double load_average; // of the last minute; negative: unknown
    bool busy;           // the machine was in use: absolute values are valid, ratios are not
    const char *commit;
    double seconds;      // duration of a measurement
    int frames, frame_bytes;
    double ready_ms;     // from starting `lacquer serve` to ready; 0: started elsewhere
    struct lq_bench_row rows[LQ_BENCH_ROWS_MAX];
    int row_count;
    struct lq_bench_row peers[LQ_BENCH_ROWS_MAX];
    int peer_count;
    struct lq_bench_load loads[LQ_BENCH_LOADS_MAX];
    int load_count;
    bool rate_control; // its clients used rate control
};

void lq_bench_report_print(const struct lq_bench_report *report, FILE *out);
LQ_MUST_CHECK int lq_bench_report_json(const struct lq_bench_report *report, FILE *out);
