// The one-euro filter: smooth at rest, responsive in motion (Casiez, Roussel and Vogel, "1 Euro
// Filter", CHI 2012). Threads: one owner. Owner: plain data, zero before the first value.
#pragma once

#include <math.h>
#include <stdbool.h>

struct lq_one_euro {
    float value, speed; // the last filtered value and speed
    bool begun;
};

// Weight of the new value in a first-order low-pass filter of `cutoff_hz`, dt_s seconds after the
// last.
static inline float lq_one_euro_share(float cutoff_hz, float dt_s)
{
    float turn = 6.2831853f * cutoff_hz * dt_s;
    return turn / (turn + 1.0f);
}

// Filters the next value, dt_s after the last; cutoff = rest_hz + gain * |speed|.
static inline float lq_one_euro_next(struct lq_one_euro *filter, float value, float dt_s,
                                     float rest_hz, float gain)
{
    if (!filter->begun || !(dt_s > 0.0f)) {
        *filter =
            (struct lq_one_euro){.value = filter->begun ? filter->value : value, .begun = true};
        return filter->value;
    }
    float speed = (value - filter->value) / dt_s;
    filter->speed += lq_one_euro_share(1.0f, dt_s) * (speed - filter->speed);
    float cutoff = rest_hz + gain * fabsf(filter->speed);
    filter->value += lq_one_euro_share(cutoff, dt_s) * (value - filter->value);
    return filter->value;
}
