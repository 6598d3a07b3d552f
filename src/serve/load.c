#include "serve/load.h"

void lq_load_count(struct lq_load *load, uint64_t us)
{
    atomic_fetch_add_explicit(&load->busy_us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&load->frames, 1, memory_order_relaxed);
}

void lq_load_tick(struct lq_load *load)
{
    uint64_t busy_us = atomic_load_explicit(&load->busy_us, memory_order_relaxed);
    uint64_t frames = atomic_load_explicit(&load->frames, memory_order_relaxed);
    if (frames == load->seen_frames)
        return;
    double mean_us = (double)(busy_us - load->seen_busy_us) / (double)(frames - load->seen_frames);
    // Halfway each second: a few seconds to believe a change, no leap for one odd frame.
    load->frame_us = load->frame_us > 0 ? (load->frame_us + mean_us) / 2 : mean_us;
    load->seen_busy_us = busy_us;
    load->seen_frames = frames;
}

uint64_t lq_load_wait_us(const struct lq_load *load, int waiting)
{
    return (uint64_t)(load->frame_us * waiting / load->workers);
}

uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms)
{
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    uint64_t least_us = (uint64_t)(load->frame_us * LQ_LOAD_AHEAD);
    return limit_us > least_us ? limit_us : least_us;
}

double lq_load_share_fps(const struct lq_load *load, int sessions)
{
    if (load->frame_us <= 0 || sessions < 1)
        return 0;
    return 1e6 * load->workers / load->frame_us / sessions;
}
