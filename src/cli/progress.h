// A progress bar on standard error, shown only for several items and only on a terminal.
// Threads: the main one. Owner: the caller.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lq_progress {
    int total;
    bool shown;
    uint64_t started_us, drawn_us;
};

// quiet: results are printed line by line on the same terminal.
void lq_progress_start(struct lq_progress *progress, int total, bool quiet);
void lq_progress_step(struct lq_progress *progress, int done);
void lq_progress_hide(struct lq_progress *progress); // call it before printing anything else
