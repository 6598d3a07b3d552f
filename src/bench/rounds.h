// Repeated measurements of the same thing, alternating with others, and their summary: medians and
// spread.
// Threads: one. Owner: the caller.
#pragma once

#include "bench/report.h"

enum { LQ_BENCH_ROUNDS = 3, LQ_BENCH_ROUND_FRAMES = 10 }; // at least 30 frames per row

struct lq_bench_rounds {
    int count;
    // with one and two frames in flight
    struct lq_bench_result one[LQ_BENCH_ROUNDS], two[LQ_BENCH_ROUNDS];
};

// Sets the row's values: medians of the rounds, total replies, and the spread of its frame rate.
void lq_bench_rounds_sum(const struct lq_bench_rounds *rounds, struct lq_bench_row *row);

// Median of its frames a second with two in flight.
double lq_bench_rounds_fps(const struct lq_bench_rounds *rounds);

// Frames a second of `ours` divided by `theirs`, for pairs of rounds measured next to each other.
// All 0 if there are none.
struct lq_bench_ratio lq_bench_rounds_ratio(const struct lq_bench_rounds *ours,
                                            const struct lq_bench_rounds *theirs);
