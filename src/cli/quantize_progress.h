// How far `lacquer quantize` is, on standard error: on a terminal one line that changes, with the
// time that a stage still takes, else a line for each stage that is done, with its time, and one
// every 20 s between.
// Threads: one. Owner: the caller; the descriptor is its to close.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lq_quantize_progress {
    int fd;           // -1: nobody is told
    bool terminal;
    char stage[40];   // being done; "": none
    int done;
    uint64_t began_us; // the stage
    uint64_t told_us;  // the last step of any was done
    uint64_t drawn_us; // something was shown
};

// Takes a copy of standard error, for a process in which that is closed.
void lq_quantize_progress_open(struct lq_quantize_progress *progress);

// `done` of `of` steps of the stage are done; another stage ends the one before. of: 0: it is not
// known how many there are.
void lq_quantize_progress_step(struct lq_quantize_progress *progress, const char *stage, int done,
                               int of);
void lq_quantize_progress_end(struct lq_quantize_progress *progress);
