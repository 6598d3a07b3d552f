#include "convert/histogram.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"

enum { BINS = LQ_RANGE_HISTOGRAM_BINS, LANES = 16, CHUNK = 1024 };
static const double PERCENT = 0.9999;

const char *lq_range_rule_name(enum lq_range_rule rule)
{
    static const char *const names[] = {"max", "percentile", "entropy", "squares"};
    return names[rule];
}

// ---- gathering

// Doubles the range: every two bins become one.
static void widen(struct lq_range_histogram *histogram)
{
    double *bins = histogram->bins;
    for (int i = 0; i < BINS / 2; i++)
        bins[i] = bins[2 * i] + bins[2 * i + 1];
    memset(bins + BINS / 2, 0, BINS / 2 * sizeof *bins);
    histogram->range *= 2;
}

static void fit(struct lq_range_histogram *histogram, double largest)
{
    if (histogram->range == 0 && largest > 0)
        histogram->range = exp2(fmax(ceil(log2(largest)), -100)); // BINS / range must be finite
    // All numbers counted before the first non-zero one are in bin 0 of any range.
    while (histogram->range < largest)
        widen(histogram);
    if (largest > histogram->largest)
        histogram->largest = largest;
}

// Computed in lanes, so that the compiler can vectorise it.
LQ_HOT static float largest_of(const float *numbers, size_t count)
{
    float lanes[LANES] = {0}, largest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float size = fabsf(numbers[i + k]);
            size = size <= 3e38f ? size : 0;
            lanes[k] = size > lanes[k] ? size : lanes[k];
        }
    for (; i < count; i++) {
        float size = fabsf(numbers[i]);
        lanes[0] = size > lanes[0] && size <= 3e38f ? size : lanes[0];
    }
    for (size_t k = 0; k < LANES; k++)
        largest = lanes[k] > largest ? lanes[k] : largest;
    return largest;
}

LQ_HOT static void find_bins(const float *numbers, size_t count, float step, int *bins)
{
    for (size_t i = 0; i < count; i++) {
        float at = fabsf(numbers[i]) * step;
        float within = at < BINS - 1 ? at : BINS - 1;
        bins[i] = at <= BINS ? (int)within : BINS; // BINS: also NaN
    }
}

void lq_range_histogram_add(struct lq_range_histogram *histogram, const float *numbers,
                            size_t count)
{
    // Two sets of counters, used alternately: most numbers are near zero, and with one set each
    // increment would wait for the previous one.
    uint32_t counts[2][BINS + 1] = {{0}};
    int bins[CHUNK];
    fit(histogram, (double)largest_of(numbers, count));
    float step = histogram->range > 0 ? (float)(BINS / histogram->range) : 0;
    for (size_t i = 0; i < count; i += CHUNK) {
        size_t some = count - i < CHUNK ? count - i : CHUNK;
        find_bins(numbers + i, some, step, bins);
        for (size_t k = 0; k < some; k++)
            counts[k % 2][bins[k]]++;
    }
    for (int i = 0; i < BINS; i++)
        histogram->bins[i] += (double)counts[0][i] + counts[1][i];
    histogram->broken += (uint64_t)counts[0][BINS] + counts[1][BINS];
    histogram->total += count;
}

void lq_range_histogram_merge(struct lq_range_histogram *histogram,
                              const struct lq_range_histogram *more)
{
    struct lq_range_histogram other = *more;
    fit(histogram, other.largest);
    if (histogram->range > 0 && other.range == 0)
        other.range = histogram->range;
    while (other.range < histogram->range)
        widen(&other);
    while (histogram->range < other.range)
        widen(histogram);
    for (int i = 0; i < BINS; i++)
        histogram->bins[i] += other.bins[i];
    histogram->total += other.total;
    histogram->broken += other.broken;
}

// ---- ranges

static double percentile(const struct lq_range_histogram *histogram)
{
    double wanted = PERCENT * (double)(histogram->total - histogram->broken), sum = 0;
    int i = 0;
    while (i < BINS - 1 && (sum += histogram->bins[i]) < wanted)
        i++;
    double edge = (i + 1) * histogram->range / BINS;
    return edge < histogram->largest ? edge : histogram->largest;
}

// The squared error of rounding within the first `count` bins and of clipping beyond them.
static double squares_at(const struct lq_range_histogram *histogram, int count)
{
    double width = histogram->range / BINS, edge = count * width;
    double step = edge / LQ_INT8_LEVELS, within = 0, beyond = 0;
    for (int i = 0; i < BINS; i++) {
        double over = (i + 0.5) * width - edge;
        if (i < count)
            within += histogram->bins[i];
        else
            beyond += histogram->bins[i] * over * over;
    }
    return within * step * step / 12 + beyond;
}

static double least_squares(const struct lq_range_histogram *histogram)
{
    double best = INFINITY;
    int chosen = BINS;
    for (int count = LQ_INT8_LEVELS; count <= BINS; count += 8) {
        double cost = squares_at(histogram, count);
        if (cost < best) {
            best = cost;
            chosen = count;
        }
    }
    double edge = chosen * histogram->range / BINS;
    return edge < histogram->largest ? edge : histogram->largest;
}

// Any range represents zeros exactly, so their bin counts no more than its neighbour; otherwise it
// would dominate.
static double bin_at(const double *bins, int i)
{
    return bins[i == 0 ? 1 : i];
}

// The divergence between the first `count` bins, with everything beyond added to the last one, and
// the same distribution in 128 levels. Empty bins stay empty.
static double divergence(const double *bins, int count, double beyond, double total)
{
    enum { LEVELS = LQ_INT8_LEVELS + 1 };
    double sum = 0, kept = total - beyond;
    for (int level = 0; level < LEVELS; level++) {
        int from = level * count / LEVELS, to = (level + 1) * count / LEVELS, used = 0;
        double mass = 0;
        for (int i = from; i < to; i++) {
            mass += bin_at(bins, i);
            used += bin_at(bins, i) > 0;
        }
        for (int i = from; i < to; i++) {
            double p = bin_at(bins, i) + (i == count - 1 ? beyond : 0);
            if (p > 0 && used > 0 && kept > 0)
                sum += p / total * log(p / total / (mass / used / kept));
            else if (p > 0)
                sum += p / total * 50; // a level that does not represent it
        }
    }
    return sum;
}

static double entropy(const struct lq_range_histogram *histogram)
{
    const double *bins = histogram->bins;
    double total = (double)(histogram->total - histogram->broken) - bins[0] + bins[1];
    double best = INFINITY, beyond = total;
    int chosen = BINS, at = 0;
    for (int count = LQ_INT8_LEVELS + 1; count <= BINS; count += 8) {
        for (; at < count; at++)
            beyond -= bin_at(bins, at);
        double apart = divergence(bins, count, beyond > 0 ? beyond : 0, total);
        if (apart < best) {
            best = apart;
            chosen = count;
        }
    }
    double edge = chosen * histogram->range / BINS;
    return edge < histogram->largest ? edge : histogram->largest;
}

double lq_range_choose(const struct lq_range_histogram *histogram, enum lq_range_rule rule)
{
    if (histogram->range == 0)
        return 0;
    switch (rule) {
    case LQ_RANGE_PERCENTILE:
        return percentile(histogram);
    case LQ_RANGE_ENTROPY:
        return entropy(histogram);
    case LQ_RANGE_SQUARES:
        return least_squares(histogram);
    default:
        return histogram->largest;
    }
}
