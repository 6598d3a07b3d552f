// Measured times and their percentiles.
// Threads: one owner at a time. Owner: init/release by whoever holds the struct.
#pragma once

#include <stddef.h>

#include "base/error.h"

struct lq_samples {
    double *values;
    size_t count, cap;
};

void lq_samples_init(struct lq_samples *samples);
void lq_samples_release(struct lq_samples *samples);
LQ_MUST_CHECK int lq_samples_add(struct lq_samples *samples, double value);

// The value below which `percent` of the samples lie, interpolated linearly between the two
// nearest, as numpy and most tools do. Sorts the samples in place. 0 if there are none.
double lq_samples_percentile(struct lq_samples *samples, double percent);
