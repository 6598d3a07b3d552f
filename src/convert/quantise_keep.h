// Decides which layers of a plan are best left in float: those that add the most noise relative to
// the time that int8 saves on them.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "convert/quantise_plan.h"

// Which of a layer's two noise measurements is meant (quantise_plan.h).
enum lq_noise_kind { LQ_NOISE_OWN, LQ_NOISE_ALONE };

// A layer's cost in multiplications: its own ones, and for each number of its input and output as
// many as a processor core does while it moves the three extra bytes of a float. Depthwise
// convolutions cost almost nothing else.
double lq_layer_work(const struct lq_layer *layer);
double lq_plan_work(const struct lq_plan *plan); // of all layers; always above 0

// The share (0..1) of the work that is in float, without the layers named by --keep.
double lq_plan_float_share(const struct lq_plan *plan);

// Ranks the int8 layers whose noise is known and above `least` by noise relative to work, highest
// first, and writes their indices to `order`, which has room for all layers. Lists as many as can
// join the layers already in float without exceeding `share_max` of the work; a layer that does not
// fit is skipped. Returns how many were written.
int lq_plan_rank(const struct lq_plan *plan, enum lq_noise_kind kind, double least,
                 double share_max, int *order);
