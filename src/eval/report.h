// What `lacquer eval` counted, and how it is printed.
// Threads: main thread. Owner: plain values, but for the flicker's memory.
#pragma once

#include "eval/directions.h"
#include "eval/flicker.h"
#include "eval/metrics.h"
#include "eval/traits.h"
#include "model/model.h"

struct lq_eval_figures {
    struct lq_tally all;
    struct lq_tally by[LQ_TRAIT_COUNT][LQ_TRAIT_CLASSES_MAX]; // pictures with a nail, by class
    bool raw;                                                 // the network alone
    bool sequence;                                            // frames of one video
    struct lq_flicker flicker;                                // … and how steady it is
    struct lq_flips flips;                                    // … and which way its nails point
    struct lq_directions directions;                          // with --directions: its root is set
    double ms_median;
};

void lq_eval_print_json(const struct lq_eval_figures *figures, const struct lq_model_info *info);
void lq_eval_print_table(const struct lq_eval_figures *figures);
