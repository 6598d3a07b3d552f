// Drives clients against a server for some seconds, as a closed loop (the next frame is sent when a
// reply arrives) or an open loop (each user's camera delivers a frame every 1/fps s regardless).
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
    int in_flight;  // frames of one user in flight
    double fps;     // of each user's camera; 0: closed loop
    double seconds;
    int replies_min; // wait for at least this many, however slow; 0: LQ_BENCH_REPLIES_MIN
    pid_t server;   // process whose processor time is measured; 0: unknown
};

struct lq_bench_result {
    int replies;
    double fps; // of all users together
    double p50_ms, p95_ms, p99_ms;
    double bytes_per_frame; // in both directions, including protocol overhead
    double cpu_percent;     // of one core; negative: unknown
    double cpu_ms;          // processor time per frame; negative: unknown
    long dropped;           // due while in_flight were out, or replaced by the server
    long refused;           // answered BUSY
    int users_served;       // users none of whose frames was refused …
    double times_ms[LQ_CLIENT_TIMES]; // mean of each time in the server (lacquer.v1) …
    bool timed;             // … if replies report them
    double propagated_percent; // … and share of replies with propagated nails (lacquer.v1)
    double fps_served;      // … and frames a second of each served user
};

// Warms up, then measures.
LQ_MUST_CHECK int lq_bench_measure(const struct lq_bench_plan *plan,
                                   struct lq_bench_result *result, struct lq_error *err);
