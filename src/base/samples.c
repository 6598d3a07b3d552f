#include "base/samples.h"

#include <stdlib.h>

enum { SAMPLES_FIRST = 1024, SAMPLES_MAX = 1 << 24 };

void lq_samples_init(struct lq_samples *samples)
{
    *samples = (struct lq_samples){0};
}

void lq_samples_release(struct lq_samples *samples)
{
    free(samples->values);
    *samples = (struct lq_samples){0};
}

int lq_samples_add(struct lq_samples *samples, double value)
{
    if (samples->count == samples->cap) {
        size_t cap = samples->cap ? samples->cap * 2 : SAMPLES_FIRST;
        if (cap > SAMPLES_MAX)
            return LQ_ERR_TOO_LARGE;
        double *values = realloc(samples->values, cap * sizeof *values);
        if (!values)
            return LQ_ERR_MEMORY;
        samples->values = values;
        samples->cap = cap;
    }
    samples->values[samples->count++] = value;
    return LQ_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double lq_samples_percentile(struct lq_samples *samples, double percent)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->values, samples->count, sizeof *samples->values, ascending);
    double place = percent / 100 * (double)(samples->count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= samples->count)
        return samples->values[samples->count - 1];
    double part = place - (double)below;
    return samples->values[below] * (1 - part) + samples->values[below + 1] * part;
}
