// How large the numbers of a tensor are, gathered picture by picture in bounded memory, and the
// range that eight bits are best spread over.
// Threads: one owner. Owner: the caller; there is nothing to release.
// Sources: S. Migacz, "8-bit Inference with TensorRT", GTC 2017 (entropy); H. Wu et al., "Integer
// Quantization for Deep Learning Inference", arXiv:2004.09602 (percentiles).
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LQ_RANGE_HISTOGRAM_BINS = 2048, LQ_INT8_LEVELS = 127 }; // of one sign: -127..127 are used

enum lq_range_rule {
    LQ_RANGE_MAX,        // nothing is clipped
    LQ_RANGE_PERCENTILE, // 99.99 % of the numbers lie within
    LQ_RANGE_ENTROPY,    // least Kullback-Leibler divergence
    LQ_RANGE_SQUARES,    // least mean square of what rounding and clipping cost
    LQ_RANGE_RULES
};

const char *lq_range_rule_name(enum lq_range_rule rule); // "max", "percentile", …

// Of absolute values; the range is a power of two and doubles as larger numbers come, which puts
// neighbouring bins together.
struct lq_range_histogram {
    double range;   // 0: nothing but zeros so far
    double largest;
    uint64_t total; // numbers seen
    uint64_t broken; // … of them no numbers, or infinite: left out
    double bins[LQ_RANGE_HISTOGRAM_BINS];
};

// At most 2^32 numbers at a time.
void lq_range_histogram_add(struct lq_range_histogram *histogram, const float *numbers,
                            size_t count);
// `more` is put into `histogram`.
void lq_range_histogram_merge(struct lq_range_histogram *histogram,
                              const struct lq_range_histogram *more);

// The largest absolute value that is still told apart; 0 where all numbers are 0.
double lq_range_choose(const struct lq_range_histogram *histogram, enum lq_range_rule rule);
