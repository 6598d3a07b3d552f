#include "convert/noise.h"

#include <math.h>

enum { CHANNELS_MAX = 4096, LANES = 8 };

// Takes the smaller of the two possible axes: a feature map has more points than channels.
struct lq_channels lq_channels_of(const struct lq_tensor *tensor)
{
    int axis = -1, last = tensor->rank - 1;
    struct lq_channels channels = {.items = lq_tensor_count(tensor), .count = 1, .inner = 1};
    if (tensor->rank == 3 || tensor->rank == 4)
        axis = tensor->dims[1] <= tensor->dims[last] ? 1 : last;
    if (axis >= 0 && tensor->dims[axis] <= CHANNELS_MAX)
        channels.count = (size_t)tensor->dims[axis];
    for (int i = axis + 1; axis > 0 && i < tensor->rank; i++)
        channels.inner *= (size_t)tensor->dims[i];
    return channels;
}

// Channels last: adjacent numbers belong to different channels.
static double add_single(struct lq_noise_sums *sums, float want, float got)
{
    double wanted = (double)want, apart = (double)got - wanted;
    sums->apart += apart * apart;
    sums->sum += wanted;
    sums->squares += wanted * wanted;
    sums->items += 1;
    return fabs(apart);
}

// Sums in lanes, so that the compiler can vectorise the loop.
struct lanes {
    double apart[LANES], sum[LANES], squares[LANES], most[LANES];
};

static inline void add_one(struct lanes *lanes, int lane, float want, float got)
{
    double wanted = (double)want, apart = (double)got - wanted, size = fabs(apart);
    lanes->apart[lane] += apart * apart;
    lanes->sum[lane] += wanted;
    lanes->squares[lane] += wanted * wanted;
    lanes->most[lane] = size > lanes->most[lane] ? size : lanes->most[lane];
}

LQ_HOT static double add_run(struct lq_noise_sums *sums, const float *want, const float *got,
                             size_t count)
{
    struct lanes lanes = {{0}, {0}, {0}, {0}};
    double most = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            add_one(&lanes, k, want[i + (size_t)k], got[i + (size_t)k]);
    for (; i < count; i++)
        add_one(&lanes, 0, want[i], got[i]);
    for (int k = 0; k < LANES; k++) {
        sums->apart += lanes.apart[k];
        sums->sum += lanes.sum[k];
        sums->squares += lanes.squares[k];
        most = lanes.most[k] > most ? lanes.most[k] : most;
    }
    sums->items += (double)count;
    return isfinite(sums->apart) ? most : NAN;
}

double lq_noise_add(struct lq_noise_sums *sums, const struct lq_channels *channels,
                    const float *want, const float *got)
{
    double most = 0;
    size_t inner = channels->inner > 0 ? channels->inner : 1;
    for (size_t i = 0; i + inner <= channels->items; i += inner) {
        struct lq_noise_sums *channel = &sums[i / inner % channels->count];
        double one = inner == 1 ? add_single(channel, want[i], got[i])
                                : add_run(channel, want + i, got + i, inner);
        if (!(one <= most)) // also a NaN, which is kept
            most = isnan(most) ? most : one;
    }
    return most;
}

double lq_noise_of(const struct lq_noise_sums *sums, size_t channels)
{
    double noise = 0, counted = 0;
    for (size_t c = 0; c < channels; c++) {
        double items = sums[c].items;
        if (items == 0)
            continue;
        double mean = sums[c].sum / items, squares = sums[c].squares / items;
        double variance = squares - mean * mean + 1e-6 * squares + 1e-12;
        noise += sums[c].apart / items / variance;
        counted += 1;
    }
    return counted > 0 ? noise / counted : 0;
}
