#include "serve/load.h"

#include <math.h>

#include "nail/track.h"

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

void lq_load_worked(struct lq_load *load, const struct lq_load_work *work)
{
    add(&load->busy_us, work->us);
    add(&load->frames, 1);
    add(&load->pressed, work->pressed);
    if (work->carried) {
        add(&load->carried_us, work->us);
        add(&load->carried, 1);
    }
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
    // The wait grows with the sessions, whether each has one frame under way or two. Those who fit
    // stay: were all sent away, all would come back together.
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms);
    int fit = load->wait_us > limit_us ? (int)ceil(load->came_from * limit_us / load->wait_us)
                                       : load->came_from;
    int excess = load->came_from - fit;
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

void lq_load_came(struct lq_load *load, uint64_t *seen_tick)
{
    load->came++;
    load->came_from += *seen_tick != load->tick_count + 1;
    *seen_tick = load->tick_count + 1; // so that a new session's 0 is no second
}

static void set_pace(struct lq_load *load, uint64_t now_us)
{
    double passed_us = load->ticked_us ? (double)(now_us - load->ticked_us) : 1e6;
    double frames_max = load->pressed_us > 0 ? load->workers * 1e6 / load->pressed_us : 0;
    double came_s = passed_us > 0 ? (double)load->came * 1e6 / passed_us : 0;
    const struct lq_pace_second second = {
        .demand = frames_max > 0 ? came_s / frames_max : 0,
        .frames_max = frames_max,
        .sessions = load->came_from,
    };
    load->demand = second.demand;
    load->let_in = 0;
    load->fps = lq_pace_fps(load->fps > 0 ? load->fps : LQ_PACE_FPS_MAX, &second);
    load->ticked_us = now_us;
    load->tick_count++;
    load->came = 0;
    load->came_from = 0;
}

// Halfway each second: a few seconds to believe a change, no leap for one odd frame.
static double approach(double value, double seen)
{
    return value > 0 ? (value + seen) / 2 : seen;
}

// What a frame costs, and what it would if all that can be carried were: else clients would be told
// to send less as soon as there is something to do, and there would never be so much to do that
// frames are carried.
static void judge_cost(struct lq_load *load)
{
    uint64_t frames = load_of(&load->frames) - load->seen_frames;
    uint64_t carried = load_of(&load->carried) - load->seen_carried;
    uint64_t pressed = load_of(&load->pressed) - load->seen_pressed;
    double frame_us = mean_since(load_of(&load->busy_us), &load->seen_busy_us,
                                 load_of(&load->frames), &load->seen_frames);
    double carried_us = mean_since(load_of(&load->carried_us), &load->seen_carried_us,
                                   load_of(&load->carried), &load->seen_carried);
    load->seen_pressed += pressed;
    if (frame_us <= 0)
        return;
    double pressed_us = frame_us;
    if (carried > 0 && carried < frames) {
        double looked_us = (frame_us * (double)frames - carried_us * (double)carried) /
                           (double)(frames - carried);
        double most = LQ_CARRY_FRAMES_MAX / (LQ_CARRY_FRAMES_MAX + 1.0);
        double share = (double)carried / (double)(pressed > carried ? pressed : carried);
        pressed_us = looked_us - fmin(share, most) * (looked_us - carried_us);
    }
    load->frame_us = approach(load->frame_us, frame_us);
    load->pressed_us = approach(load->pressed_us, fmin(pressed_us, frame_us));
}

void lq_load_tick(struct lq_load *load, uint64_t now_us)
{
    judge_cost(load);
    load->wait_us = mean_since(load_of(&load->waited_us), &load->seen_waited_us,
                               load_of(&load->taken), &load->seen_taken);
    judge(load);
    set_pace(load, now_us);
}

bool lq_load_lets_in(struct lq_load *load, int waiting)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms);
    int room_ms = (int)(load->limit_ms * LQ_LOAD_ROOM);
    // Of a machine that had much to do is known how many more it has room for; else all who were
    // refused would come back at once, and slow down who is in until the next second tells.
    int with = 1 + (load->demand > LQ_LOAD_HALF_BUSY ? load->let_in : 0);
    double with_us = load->wait_us + load->frame_us * with / load->workers;
    bool room = with_us <= (double)lq_load_limit_us(load, room_ms) &&
                (double)lq_load_expected_us(load, waiting) <= limit_us * LQ_LOAD_BURST;
    load->let_in += room;
    return room;
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
