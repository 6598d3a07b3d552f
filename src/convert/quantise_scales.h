// Which sources of a plan share a scale, and what it is: those that meet in one layer's input do.
// Threads: one owner. Owner: init/release by the caller; the plan must stay.
#pragma once

#include "convert/quantise_plan.h"

struct lq_scales {
    int *group;    // by source: the number of the first of those that share its scale
    bool *active;  // by source: a quantised layer takes it
    float *scale;  // by group
};

// For the plan's layers that are `quantised`; the histograms of their sources must be full. False:
// out of memory; it is to be released also then.
bool lq_scales_init(struct lq_scales *scales, const struct lq_plan *plan, enum lq_range_rule rule);
void lq_scales_release(struct lq_scales *scales);
