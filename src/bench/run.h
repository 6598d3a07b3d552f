// Drives clients against a server for some seconds: closed loop (the next frame goes when a reply
// comes) or open loop (each user's camera gives a frame every 1/fps s, needed or not).
// Threads: one, with poll(). Owner: the caller of plan and result.
#pragma once

#include <sys/types.h>

#include "bench/client.h"
#include "bench/frames.h"
#include "base/samples.h"

enum { LQ_BENCH_USERS_MAX = 500, LQ_BENCH_REPLIES_MIN = 3 };

struct lq_bench_plan {
    const struct lq_client_target *target;
    const struct lq_bench_frames *frames;
    int users;
    int in_flight;  // frames of one user on their way at once
    double fps;     // of each user's camera; 0: closed loop
    double seconds;
    int replies_min; // that are waited for, however slow; 0: LQ_BENCH_REPLIES_MIN
    pid_t server;   // whose processor time is counted; 0: unknown
};

struct lq_bench_result {
    int replies;
    double fps; // of all users together
    double p50_ms, p95_ms, p99_ms;
    double bytes_per_frame; // both ways, protocol and all
    double cpu_percent;     // of one core; negative: unknown
    double cpu_ms;          // processor time a frame; negative: unknown
    long dropped;           // due while in_flight were out, or given up by the server for newer
    long refused;           // answered BUSY
    int users_served;       // who had no frame refused …
    double times_ms[LQ_CLIENT_TIMES]; // mean of each in the server (lacquer.v1) …
    bool timed;             // … if its replies tell
    double propagated_percent; // … and whose nails were carried along (lacquer.v1)
    double fps_served;      // … and the frames a second of each of them
};

// Warms up, then measures.
LQ_MUST_CHECK int lq_bench_measure(const struct lq_bench_plan *plan,
                                   struct lq_bench_result *result, struct lq_error *err);
