// Prints the progress of `lacquer quantize` to standard error. On a terminal it updates one line,
// with the remaining time of the stage. Otherwise it prints a line with the time of each finished
// stage, and one every 20 s in between.
// Threads: one. Owner: the caller, who also closes the descriptor.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lq_quantize_progress {
    int fd;           // -1: print nothing
    bool terminal;
    char stage[40];   // the current stage; "": none
    int done;
    uint64_t began_us; // when the stage began
    uint64_t told_us;  // when the last step of any stage was reported
    uint64_t drawn_us; // when something was last printed
};

// Duplicates standard error, for a process that closes it later.
void lq_quantize_progress_open(struct lq_quantize_progress *progress);

// Reports that `done` of `of` steps of the stage are finished; a new stage ends the previous one.
// of: 0 if the number of steps is not known.
void lq_quantize_progress_step(struct lq_quantize_progress *progress, const char *stage, int done,
                               int of);
void lq_quantize_progress_end(struct lq_quantize_progress *progress);
