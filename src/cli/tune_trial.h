// One candidate (tune_candidates.h) tried in a process of its own: how fast the network is there,
// and whether it finds the same nails.
// Threads: the main one, while the process has no other and no engine is loaded: it forks
// (base/child.h).
// Owner: what a trial points to is the caller's and is only read.
#pragma once

#include "cli/model_options.h"
#include "cli/tune_candidates.h"
#include "cli/tune_pictures.h"

// Of the network alone, on this machine.
struct lq_tune_times {
    double one_ms;   // a frame on one core, by processor time: others on this machine hardly count
    double all_ms;   // a frame on all cores, by the clock
    double side_fps; // frames a second of all cores, one frame on each, by processor time
};

enum lq_tune_masks { LQ_TUNE_MASKS_NONE, LQ_TUNE_MASKS_WRITE, LQ_TUNE_MASKS_COMPARE };

struct lq_tune_trial {
    const struct lq_cli_model *asked;
    struct lq_tune_candidate candidate;
    const struct lq_tune_pictures *pictures;
    enum lq_tune_masks masks;
    int masks_fd;  // a file in memory: the masks of this file's reference
    int float_fd;  // … of the network in f32; may be the same
    int (*enter)(void *context, struct lq_error *err); // called first in the child; NULL: nothing
    void *context;

    // done
    struct lq_tune_times times;
    double iou;       // to masks_fd, over all pixels of all pictures; negative: no nail in either
    double iou_float; // … and to float_fd
};

// The candidate's file.
const char *lq_tune_path(const struct lq_cli_model *asked,
                         const struct lq_tune_candidate *candidate);

// A candidate that cannot be opened, or that ends its process: the status and why.
LQ_MUST_CHECK int lq_tune_trial_run(struct lq_tune_trial *trial, struct lq_error *err);
