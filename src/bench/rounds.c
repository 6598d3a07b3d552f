#include "bench/rounds.h"

#include <stddef.h>

#include "base/samples.h"

static double percentile(const double *values, int count, double percent)
{
    double kept[LQ_BENCH_ROUNDS];
    struct lq_samples samples = {kept, (size_t)count, LQ_BENCH_ROUNDS};
    for (int i = 0; i < count; i++)
        kept[i] = values[i];
    return lq_samples_percentile(&samples, percent);
}

// The median of one member of the results; `place` is its offset in the struct.
static double median_of(const struct lq_bench_result *results, int count, size_t place)
{
    double values[LQ_BENCH_ROUNDS];
    for (int i = 0; i < count; i++)
        values[i] = *(const double *)(const void *)((const char *)&results[i] + place);
    return percentile(values, count, 50);
}

static struct lq_bench_result sum(const struct lq_bench_result *results, int count)
{
    static const size_t figures[] = {
        offsetof(struct lq_bench_result, fps),         offsetof(struct lq_bench_result, p50_ms),
        offsetof(struct lq_bench_result, p95_ms),      offsetof(struct lq_bench_result, p99_ms),
        offsetof(struct lq_bench_result, cpu_percent), offsetof(struct lq_bench_result, cpu_ms),
        offsetof(struct lq_bench_result, bytes_per_frame)};
    struct lq_bench_result all = {0};
    for (size_t i = 0; i < LQ_COUNT(figures); i++)
        *(double *)(void *)((char *)&all + figures[i]) = median_of(results, count, figures[i]);
    for (int i = 0; i < count; i++)
        all.replies += results[i].replies;
    return all;
}

void lq_bench_rounds_sum(const struct lq_bench_rounds *rounds, struct lq_bench_row *row)
{
    row->one = sum(rounds->one, rounds->count);
    row->two = sum(rounds->two, rounds->count);
    row->rounds = rounds->count;
    row->fps_low = row->fps_high = row->two.fps;
    for (int i = 0; i < rounds->count; i++) {
        double fps = rounds->two[i].fps;
        row->fps_low = fps < row->fps_low ? fps : row->fps_low;
        row->fps_high = fps > row->fps_high ? fps : row->fps_high;
    }
}

double lq_bench_rounds_fps(const struct lq_bench_rounds *rounds)
{
    return median_of(rounds->two, rounds->count, offsetof(struct lq_bench_result, fps));
}

struct lq_bench_ratio lq_bench_rounds_ratio(const struct lq_bench_rounds *ours,
                                            const struct lq_bench_rounds *theirs)
{
    double values[LQ_BENCH_ROUNDS];
    int count = 0;
    for (int i = 0; i < ours->count && i < theirs->count; i++)
        if (theirs->two[i].fps > 0)
            values[count++] = ours->two[i].fps / theirs->two[i].fps;
    return (struct lq_bench_ratio){percentile(values, count, 50), percentile(values, count, 0),
                                   percentile(values, count, 100)};
}
