// The counts of `lacquer eval`, and how they are printed.
// Threads: main thread. Owner: plain values, except the flicker's memory.
#pragma once

#include "eval/directions.h"
#include "eval/flicker.h"
#include "eval/metrics.h"
#include "eval/traits.h"
#include "model/model.h"

struct lq_eval_figures {
    struct lq_tally all;
    struct lq_tally by[LQ_TRAIT_COUNT][LQ_TRAIT_CLASSES_MAX]; // pictures with a nail, by class
    bool raw;                                                 // only the network
    bool sequence;                                            // frames of one video
    struct lq_flicker flicker;                                // … how steady the masks are
    struct lq_flips flips;                                    // … and how often directions flip
    struct lq_directions directions;                          // with --directions: its root is set
    double ms_median;
};

void lq_eval_print_json(const struct lq_eval_figures *figures, const struct lq_model_info *info);
void lq_eval_print_table(const struct lq_eval_figures *figures);
