// How far one tensor is from another that is meant to be the same: noise is the mean square of the
// difference in a channel, relative to the channel's variance, as a mean over the channels.
// Threads: any; no state. Owner: the caller; sums are zero at first.
#pragma once

#include "engine/engine.h"

// How a tensor's numbers lie: `items` of them, of which each `inner` neighbours are one channel's.
struct lq_channels {
    size_t items, count, inner; // count: 1 where channels cannot be told
};

struct lq_noise_sums {
    double apart, sum, squares, items; // apart: squares of the difference
};

struct lq_channels lq_channels_of(const struct lq_tensor *tensor);

// Adds both tensors' numbers to the sums of their channels, `channels->count` of them. Returns the
// largest difference; NaN where one is no number.
double lq_noise_add(struct lq_noise_sums *sums, const struct lq_channels *channels,
                    const float *want, const float *got);

// 0: equal. A channel that hardly changes is measured by its size.
double lq_noise_of(const struct lq_noise_sums *sums, size_t channels);
