// Determines which sources of a plan share a scale, and that scale. Sources that are joined in one
// layer's input share one.
// Threads: one owner. Owner: init/release by the caller; the plan must outlive it.
#pragma once

#include "convert/quantise_plan.h"

struct lq_scales {
    int *group;    // per source: index of the first source that shares its scale
    bool *active;  // per source: a quantised layer uses it
    float *scale;  // per group
};

// For the plan's layers that are `quantised`; the histograms of their sources must be filled.
// False: out of memory; release it even then.
bool lq_scales_init(struct lq_scales *scales, const struct lq_plan *plan, enum lq_range_rule rule);
void lq_scales_release(struct lq_scales *scales);
