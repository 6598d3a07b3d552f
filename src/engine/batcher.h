// Gathers requests that come at about the same time into one run, for engines that answer several
// as fast as one. One run at a time: what comes meanwhile is gathered for the next.
//
// Who comes to a batcher that is idle leads: it waits for as many others as the last run had, but
// never longer than wait_us after the first came nor past a deadline, takes the oldest and runs
// them for all. A request that is alone waits for nobody.
// Threads: any number run, each with one item at a time; new and free by one.
// Owner: the caller; free once nobody runs.
#pragma once

#include <stdint.h>

#include "base/error.h"

enum { LQ_BATCH_MAX = 32 };

struct lq_batcher;

// Runs `count` items, 1 to batch_max; what it returns is the status of all of them.
typedef int lq_batch_run(void *context, void *const *items, int count, struct lq_error *err);

struct lq_batch_counts {
    uint64_t runs, items, late; // late: whose deadline had passed when their turn came
};

LQ_MUST_CHECK int lq_batcher_new(struct lq_batcher **batcher, int batch_max, int wait_us,
                                 lq_batch_run *run, void *context, struct lq_error *err);
void lq_batcher_free(struct lq_batcher *batcher); // NULL is fine

// Returns when the item was run. deadline_us: lq_clock_us() after which it is not (TIMEOUT); 0:
// none.
LQ_MUST_CHECK int lq_batcher_run(struct lq_batcher *batcher, void *item, uint64_t deadline_us,
                                 struct lq_error *err);

void lq_batcher_count(struct lq_batcher *batcher, struct lq_batch_counts *counts);
