// All candidates of a model, tried one after the other, and the best of those that find the same
// nails as the network in f32.
// Threads: the main one, while the process has no other and no engine is loaded: it forks
// (tune_trial.h).
// Owner: the caller; a race holds no memory of its own.
#pragma once

#include "cli/tune_answer.h"
#include "cli/tune_trial.h"

// Least agreement, as intersection over union, of a candidate's nails with its reference's. Of our
// own network's float file less is enough where the int8 file, which is what runs by itself, agrees
// less with f32.
#define LQ_TUNE_IOU_MIN 0.995

enum lq_tune_verdict {
    LQ_TUNE_FAILED,    // could not be tried; `reason` says why
    LQ_TUNE_DIFFERS,   // finds other nails than its reference
    LQ_TUNE_UNPROVEN,  // no nail in any picture: nothing to compare
    LQ_TUNE_FINE,      // finds the same nails …
    LQ_TUNE_REFERENCE, // … or is what the others of its file are compared with
};

struct lq_tune_entry {
    struct lq_tune_candidate candidate;
    enum lq_tune_verdict verdict;
    char reason[256];
    struct lq_tune_times times;
    double iou, iou_float; // negative: nothing to compare
};

struct lq_tune_race {
    const struct lq_cli_model *asked;
    const struct lq_tune_pictures *pictures;
    int (*enter)(void *context, struct lq_error *err); // in each child first; NULL: nothing
    void *context;
    void (*step)(const struct lq_tune_race *race, int done); // told as it goes; NULL: nobody
    struct lq_tune_case here;
    struct lq_tune_entry entries[LQ_TUNE_CANDIDATES_MAX];
    int count;
    int best; // of entries; -1: none
};

// What a frame costs alone and beside others, in one number: milliseconds, the geometric mean of
// its time alone (on one core or on all, as is quicker) and of its share of all cores' time.
double lq_tune_score(const struct lq_tune_times *times);

const char *lq_tune_verdict_name(enum lq_tune_verdict verdict); // "fine"

// Fills in entries and best; what is asked, pictures, enter and step are the caller's. No candidate
// that can be used: MODEL with the first one's reason. A child that ends is an entry that FAILED.
LQ_MUST_CHECK int lq_tune_race_run(struct lq_tune_race *race, struct lq_error *err);

// The best one's.
void lq_tune_race_answer(const struct lq_tune_race *race, struct lq_tune_answer *answer);
