// Measures how far a tensor is from another one that should be equal. The noise of a channel is the
// mean square of the difference divided by the channel's variance; that of a tensor is the mean
// over its channels.
// Threads: any; no state. Owner: the caller, who zeroes the sums first.
#pragma once

#include "engine/engine.h"

// A tensor's layout: `items` numbers; each run of `inner` adjacent ones belongs to one channel.
struct lq_channels {
    size_t items, count, inner; // count: 1 if the channels are not known
};

struct lq_noise_sums {
    double apart, sum, squares, items; // apart: sum of squared differences
};

struct lq_channels lq_channels_of(const struct lq_tensor *tensor);

// Adds both tensors' numbers to the `channels->count` sums of their channels. Returns the largest
// absolute difference; NaN if a difference is NaN.
double lq_noise_add(struct lq_noise_sums *sums, const struct lq_channels *channels,
                    const float *want, const float *got);

// The noise from these sums; 0: equal. If a channel's variance is tiny, its difference is measured
// relative to its mean square instead.
double lq_noise_of(const struct lq_noise_sums *sums, size_t channels);
