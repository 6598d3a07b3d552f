#include "serve/load.h"

static uint64_t load_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

void lq_load_waited(struct lq_load *load, uint64_t us)
{
    add(&load->waited_us, us);
    add(&load->taken, 1);
}

void lq_load_worked(struct lq_load *load, uint64_t us)
{
    add(&load->busy_us, us);
    add(&load->frames, 1);
}

uint64_t lq_load_busy_us(const struct lq_load *load)
{
    return load_of(&load->busy_us);
}

// The mean of what was counted since it was last seen; 0 of nothing.
static double mean_since(uint64_t sum, uint64_t *seen_sum, uint64_t count, uint64_t *seen_count)
{
    double mean = count == *seen_count ? 0
                                       : (double)(sum - *seen_sum) / (double)(count - *seen_count);
    *seen_sum = sum;
    *seen_count = count;
    return mean;
}

// Decides how many must go. If sending the youngest away is not enough, the next older have their
// turn, but each time only after a second in which the last decision could show.
static void judge(struct lq_load *load)
{
    double excess_us = load->wait_us - (double)lq_load_limit_us(load, load->limit_ms);
    int excess = load->frame_us > 0 ? (int)(excess_us * load->workers / load->frame_us) : 0;
    load->to_shed = 0;
    load->settling = !load->settling && excess > 0;
    if (excess <= 0)
        load->shed_age_us = 0;
    if (!load->settling)
        return;
    load->to_shed = excess;
    if (load->shed_age_us == 0)
        load->shed_age_us = LQ_LOAD_YOUNG_S * UINT64_C(1000000);
    else if (load->shed_age_us < LQ_LOAD_OLD_S * UINT64_C(1000000))
        load->shed_age_us *= 2;
}

void lq_load_tick(struct lq_load *load)
{
    double frame_us = mean_since(load_of(&load->busy_us), &load->seen_busy_us,
                                 load_of(&load->frames), &load->seen_frames);
    // Halfway each second: a few seconds to believe a change, no leap for one odd frame.
    if (frame_us > 0)
        load->frame_us = load->frame_us > 0 ? (load->frame_us + frame_us) / 2 : frame_us;
    load->wait_us = mean_since(load_of(&load->waited_us), &load->seen_waited_us,
                               load_of(&load->taken), &load->seen_taken);
    judge(load);
}

bool lq_load_lets_in(const struct lq_load *load, int waiting)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms);
    double with_us = load->wait_us + load->frame_us / load->workers;
    return with_us <= limit_us &&
           (double)lq_load_expected_us(load, waiting) <= limit_us * LQ_LOAD_BURST;
}

bool lq_load_sheds(struct lq_load *load, uint64_t age_us)
{
    if (load->to_shed == 0 || age_us > load->shed_age_us)
        return false;
    load->to_shed--;
    return true;
}

uint64_t lq_load_expected_us(const struct lq_load *load, int waiting)
{
    return (uint64_t)(load->frame_us * waiting / load->workers);
}

uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms)
{
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    uint64_t least_us = (uint64_t)(load->frame_us * LQ_LOAD_AHEAD);
    return limit_us > least_us ? limit_us : least_us;
}
