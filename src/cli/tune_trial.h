// Tries one candidate (tune_candidates.h) in a separate process: how fast the network is, and
// whether it finds the same nails.
// Threads: the main one, while the process has no other and no engine is loaded: it forks
// (base/child.h).
// Owner: the caller owns what a trial points to; it is only read.
#pragma once

#include "cli/model_options.h"
#include "cli/tune_candidates.h"
#include "cli/tune_pictures.h"

// Times of the network alone, on this machine.
struct lq_tune_times {
    double one_ms;   // a frame on one core, in processor time, which other programs hardly affect
    double all_ms;   // a frame on all cores, by wall clock
    double side_fps; // frames a second of all cores, one frame on each, from processor time
};

enum lq_tune_masks { LQ_TUNE_MASKS_NONE, LQ_TUNE_MASKS_WRITE, LQ_TUNE_MASKS_COMPARE };

struct lq_tune_trial {
    const struct lq_cli_model *config;
    struct lq_tune_candidate candidate;
    const struct lq_tune_pictures *pictures;
    enum lq_tune_masks masks;
    int masks_fd;  // memory file with the masks of this file's reference
    int float_fd;  // … and of the network in f32; may be the same
    int (*enter)(void *context, struct lq_error *err); // called first in the child; NULL: nothing
    void *context;

    // results
    struct lq_tune_times times;
    double iou;       // with masks_fd, over all pixels of all pictures; negative: no nail in either
    double iou_float; // … and with float_fd
};

// Path of the candidate's file.
const char *lq_tune_path(const struct lq_cli_model *config,
                         const struct lq_tune_candidate *candidate);

// Fails with the status and reason of a candidate that cannot be opened or that crashes its
// process.
LQ_MUST_CHECK int lq_tune_trial_run(struct lq_tune_trial *trial, struct lq_error *err);
