// The distribution of a tensor's absolute values, collected picture by picture in bounded memory,
// and the best range to map to eight bits.
// Threads: one owner. Owner: the caller; nothing to release.
// Sources: S. Migacz, "8-bit Inference with TensorRT", GTC 2017 (entropy); H. Wu et al., "Integer
// Quantization for Deep Learning Inference", arXiv:2004.09602 (percentiles).
#pragma once

#include <stddef.h>
#include <stdint.h>

// levels per sign: -127..127 are used
enum { LQ_RANGE_HISTOGRAM_BINS = 2048, LQ_INT8_LEVELS = 127 };

enum lq_range_rule {
    LQ_RANGE_MAX,        // nothing is clipped
    LQ_RANGE_PERCENTILE, // 99.99 % of the numbers lie within the range
    LQ_RANGE_ENTROPY,    // least Kullback-Leibler divergence
    LQ_RANGE_SQUARES,    // least mean square error of rounding and clipping
    LQ_RANGE_RULES
};

const char *lq_range_rule_name(enum lq_range_rule rule); // "max", "percentile", …

// A histogram of absolute values. Its range is a power of two and doubles when larger numbers
// arrive; adjacent bins are then merged.
struct lq_range_histogram {
    double range;   // 0: only zeros so far
    double largest;
    uint64_t total; // numbers counted
    uint64_t broken; // NaN and infinities, which are not counted in the bins
    double bins[LQ_RANGE_HISTOGRAM_BINS];
};

// At most 2^32 numbers at a time.
void lq_range_histogram_add(struct lq_range_histogram *histogram, const float *numbers,
                            size_t count);
// Adds `more` to `histogram`.
void lq_range_histogram_merge(struct lq_range_histogram *histogram,
                              const struct lq_range_histogram *more);

// The largest absolute value that is represented; larger ones are clipped. 0 if all numbers are 0.
double lq_range_choose(const struct lq_range_histogram *histogram, enum lq_range_rule rule);
