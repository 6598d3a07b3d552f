// Which layers of a plan are best left in float: those that add the most noise for the time that
// int8 saves on them.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "convert/quantise_plan.h"

// A layer's noise, as one of the two measurements of quantise_plan.h gives it.
enum lq_noise_kind { LQ_NOISE_OWN, LQ_NOISE_ALONE };

// What a layer costs, in multiplications: its own, and for each number that it takes or makes as
// many as a processor core does while it moves the three bytes more that a float has. Depthwise
// convolutions cost little but that.
double lq_layer_work(const struct lq_layer *layer);
double lq_plan_work(const struct lq_plan *plan); // of all layers; more than 0

// The share of the work, 0..1, of the layers in float that --keep did not name.
double lq_plan_float_share(const struct lq_plan *plan);

// Writes the numbers of layers to `order`, which has room for all: those in int8 whose noise is
// known and more than `least`, the worst for their work first, as many as may be in float beside
// the others with at most `share_max` of the work. Those that do not fit are passed over. Returns
// how many.
int lq_plan_rank(const struct lq_plan *plan, enum lq_noise_kind kind, double least,
                 double share_max, int *order);
