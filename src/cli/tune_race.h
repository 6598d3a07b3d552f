// Tries all candidates of a model in turn, and selects the best of those that find the same nails
// as the network in f32.
// Threads: the main one, while the process has no other and no engine is loaded: it forks
// (tune_trial.h).
// Owner: the caller; a race holds no memory of its own.
#pragma once

#include "cli/tune_choice.h"
#include "cli/tune_trial.h"

// Minimum agreement (intersection over union) of a candidate's nails with its reference's. For the
// float file of our own network less is enough if the int8 file, the default, agrees even less with
// f32.
#define LQ_TUNE_IOU_MIN 0.995

enum lq_tune_verdict {
    LQ_TUNE_FAILED,    // could not be tried; see `reason`
    LQ_TUNE_DIFFERS,   // finds different nails than its reference
    LQ_TUNE_UNPROVEN,  // no nail in any picture: nothing to compare
    LQ_TUNE_FINE,      // finds the same nails …
    LQ_TUNE_REFERENCE, // … or is the reference of its file
};

struct lq_tune_entry {
    struct lq_tune_candidate candidate;
    enum lq_tune_verdict verdict;
    char reason[256];
    struct lq_tune_times times;
    double iou, iou_float; // negative: nothing to compare
};

struct lq_tune_race {
    const struct lq_cli_model *config;
    const struct lq_tune_pictures *pictures;
    int (*enter)(void *context, struct lq_error *err); // called first in each child; NULL: nothing
    void *context;
    void (*step)(const struct lq_tune_race *race, int done); // reports progress; may be NULL
    struct lq_tune_case here;
    struct lq_tune_entry entries[LQ_TUNE_CANDIDATES_MAX];
    int count;
    int best; // index in entries; -1: none
};

// Combines the cost of a single frame and of parallel frames: the geometric mean, in milliseconds,
// of a single frame's time (on one core or on all, whichever is faster) and of a frame's share of
// all cores' time.
double lq_tune_score(const struct lq_tune_times *times);

const char *lq_tune_verdict_name(enum lq_tune_verdict verdict); // "fine"

// Sets entries and best; the caller sets config, pictures, enter and step. MODEL: no candidate is
// usable; the text is the first one's reason. A child that crashes becomes an entry that FAILED.
LQ_MUST_CHECK int lq_tune_race_run(struct lq_tune_race *race, struct lq_error *err);

// The choice for the best candidate.
void lq_tune_race_choice(const struct lq_tune_race *race, struct lq_tune_choice *choice);
