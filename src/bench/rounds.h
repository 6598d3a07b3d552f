// The same thing measured several times, in turn with others, and what comes of it: the medians,
// and how far the times lie apart.
// Threads: one. Owner: the caller.
#pragma once

#include "bench/report.h"

enum { LQ_BENCH_ROUNDS = 3, LQ_BENCH_ROUND_FRAMES = 10 }; // 30 frames a row at least

struct lq_bench_rounds {
    int count;
    struct lq_bench_result one[LQ_BENCH_ROUNDS], two[LQ_BENCH_ROUNDS]; // frames in flight
};

// Fills in the row's figures: medians of the rounds, all replies, and the spread of its frames.
void lq_bench_rounds_sum(const struct lq_bench_rounds *rounds, struct lq_bench_row *row);

// The median of its frames a second with two in flight.
double lq_bench_rounds_fps(const struct lq_bench_rounds *rounds);

// Frames a second of `ours` over `theirs`, by pairs of rounds that were measured side by side.
// All 0 where there are none.
struct lq_bench_ratio lq_bench_rounds_ratio(const struct lq_bench_rounds *ours,
                                            const struct lq_bench_rounds *theirs);
