// Combines requests that arrive at about the same time into one run, for engines that process
// several requests as fast as one. One run happens at a time; requests that arrive during it are
// gathered for the next.
//
// The first request at an idle batcher becomes the leader. It waits for as many others as the last
// run had, but at most wait_us after the first arrived and never past a deadline. Then it takes the
// oldest requests and runs them for all. A single request does not wait.
// Threads: any number of threads may call lq_batcher_run, each with one item at a time; new and
// free are called by one.
// Owner: the caller; free it when no thread is in lq_batcher_run.
#pragma once

#include <stdint.h>

#include "base/error.h"

enum { LQ_BATCH_MAX = 32 };

struct lq_batcher;

// Runs `count` items, 1 to batch_max; the returned status applies to all of them.
typedef int lq_batch_run(void *context, void *const *items, int count, struct lq_error *err);

struct lq_batch_counts {
    uint64_t runs, items, late; // late: items whose deadline had passed before they ran
};

LQ_MUST_CHECK int lq_batcher_new(struct lq_batcher **batcher, int batch_max, int wait_us,
                                 lq_batch_run *run, void *context, struct lq_error *err);
void lq_batcher_free(struct lq_batcher *batcher); // batcher may be NULL

// Returns when the item has run. deadline_us: the lq_clock_us() after which it is not run
// (TIMEOUT); 0: none.
LQ_MUST_CHECK int lq_batcher_run(struct lq_batcher *batcher, void *item, uint64_t deadline_us,
                                 struct lq_error *err);

void lq_batcher_count(struct lq_batcher *batcher, struct lq_batch_counts *counts);
