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
    add(&load->contended, work->contended);
    if (work->propagated) {
        add(&load->propagated_us, work->us);
        add(&load->propagated, 1);
    }
}

void lq_load_stilled(struct lq_load *load, uint64_t us)
{
    add(&load->stilled_us, us);
}

uint64_t lq_load_busy_us(const struct lq_load *load)
{
    return load_of(&load->busy_us) + load_of(&load->stilled_us);
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

// Where more comes than can be done each session always has a frame that waits, so a frame waits
// until all others had their turn. µs
static double turn_us(const struct lq_load *load, int sessions)
{
    return load->frame_us * sessions / load->workers;
}

static double room_us(const struct lq_load *load)
{
    return (double)lq_load_limit_us(load, (int)(load->limit_ms * LQ_LOAD_ROOM));
}

// How many of the sessions that sent something the machine has time for. Those stay: were all sent
// away, all would come back together.
static int fitting(const struct lq_load *load)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms), share = 1;
    // The wait grows with the sessions, whether each has one frame under way or two.
    if (load->wait_us > limit_us)
        share = limit_us / load->wait_us;
    if (load->need > LQ_LOAD_NEED_OUT && turn_us(load, load->sessions) > room_us(load))
        share = fmin(share, LQ_LOAD_NEED_IN / load->need);
    return (int)ceil(load->sessions * share);
}

// Decides how many must go. If sending the youngest away is not enough, the next older have their
// turn, but each time only after a second in which the last decision could show.
static void judge(struct lq_load *load)
{
    int excess = load->sessions - fitting(load);
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

// Frames that a session needs in a second for a video; of a machine that does few, its share.
static int film_frames(const struct lq_load *load)
{
    double share = load->contended_us > 0 ? load->workers * 1e6 / load->contended_us / LQ_LOAD_FILMS
                                          : LQ_LOAD_FILM_FPS;
    return (int)ceil(fmin(share, LQ_LOAD_FILM_FPS));
}

void lq_load_came(struct lq_load *load, struct lq_load_guest *guest)
{
    uint64_t tick = load->tick_count + 1; // so that a new session's 0 is no second
    if (guest->tick != tick) {
        guest->tick = tick;
        guest->frames = 0;
        load->came_from++;
    }
    load->came++;
    // Who keeps two frames under way sends as many as are answered, which says nothing of a need.
    load->needed += guest->frames++ < film_frames(load);
}

// What came in the second that ends now.
static void sum_up(struct lq_load *load, uint64_t now_us)
{
    double passed_us = load->ticked_us ? (double)(now_us - load->ticked_us) : 1e6;
    double done = load->contended_us > 0 ? load->workers * passed_us / load->contended_us : 0;
    load->demand = done > 0 ? (double)load->came / done : 0;
    load->need = done > 0 ? (double)load->needed / done : 0;
    load->sessions = load->came_from;
    load->ticked_us = now_us;
    load->tick_count++;
    load->came = load->needed = 0;
    load->came_from = load->let_in = 0;
}

static void set_pace(struct lq_load *load)
{
    const struct lq_pace_second second = {
        .demand = load->demand,
        .frames_max = load->contended_us > 0 ? load->workers * 1e6 / load->contended_us : 0,
        .sessions = load->sessions,
    };
    load->fps = lq_pace_fps(load->fps > 0 ? load->fps : LQ_PACE_FPS_MAX, &second);
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
    uint64_t propagated = load_of(&load->propagated) - load->seen_propagated;
    uint64_t contended = load_of(&load->contended) - load->seen_contended;
    double frame_us = mean_since(load_of(&load->busy_us), &load->seen_busy_us,
                                 load_of(&load->frames), &load->seen_frames);
    double propagated_us = mean_since(load_of(&load->propagated_us), &load->seen_carried_us,
                                      load_of(&load->propagated), &load->seen_propagated);
    load->seen_contended += contended;
    if (frame_us <= 0)
        return;
    double contended_us = frame_us;
    if (propagated > 0 && propagated < frames) {
        double looked_us = (frame_us * (double)frames - propagated_us * (double)propagated) /
                           (double)(frames - propagated);
        double most = LQ_PROPAGATED_FRAMES_MAX / (LQ_PROPAGATED_FRAMES_MAX + 1.0);
        double share =
            (double)propagated / (double)(contended > propagated ? contended : propagated);
        contended_us = looked_us - fmin(share, most) * (looked_us - propagated_us);
    }
    load->frame_us = approach(load->frame_us, frame_us);
    load->contended_us = approach(load->contended_us, fmin(contended_us, frame_us));
}

void lq_load_tick(struct lq_load *load, uint64_t now_us)
{
    judge_cost(load);
    load->wait_us = mean_since(load_of(&load->waited_us), &load->seen_waited_us,
                               load_of(&load->taken), &load->seen_taken);
    sum_up(load, now_us);
    judge(load);
    set_pace(load);
}

// Whether videos would need more than can be done if `with` more came in, and that would show.
static bool is_too_much(const struct lq_load *load, int with)
{
    int sessions = load->sessions + with;
    return load->sessions > 0 && load->need * sessions / load->sessions > LQ_LOAD_NEED_IN &&
           turn_us(load, sessions) > room_us(load);
}

// Whether a session that was quiet may begin now. Counts it then.
static bool lets_in(struct lq_load *load, int waiting)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms);
    // Of a machine that had much to do is known how many more it has room for; else all who were
    // refused would come back at once, and slow down who is in until the next second tells.
    int with = 1 + (load->demand > LQ_LOAD_HALF_BUSY ? load->let_in : 0);
    bool room = load->wait_us + turn_us(load, with) <= room_us(load) && !is_too_much(load, with) &&
                (double)lq_load_expected_us(load, waiting) <= limit_us * LQ_LOAD_BURST;
    load->let_in += room;
    return room;
}

// Whether a session that began `age_us` ago must go again.
static bool sheds(struct lq_load *load, const struct lq_load_share *share, uint64_t age_us)
{
    if (load->to_shed == 0 || age_us > load->shed_age_us || share->own < share->most)
        return false;
    load->to_shed--;
    return true;
}

bool lq_load_is_in(const struct lq_load_guest *guest, uint64_t now_us)
{
    return guest->in && now_us - guest->seen_us < LQ_LOAD_RECENT_S * UINT64_C(1000000);
}

bool lq_load_takes(struct lq_load *load, struct lq_load_guest *guest,
                   const struct lq_load_share *share, uint64_t now_us, int waiting)
{
    if (lq_load_is_in(guest, now_us)) {
        guest->in = !sheds(load, share, now_us - guest->entered_us);
    } else {
        guest->entered_us = now_us;
        guest->in = lets_in(load, waiting) || share->own + 1 < share->most;
    }
    if (guest->in) {
        guest->seen_us = now_us;
        lq_load_came(load, guest);
    }
    return guest->in;
}

uint64_t lq_load_expected_us(const struct lq_load *load, int waiting)
{
    return (uint64_t)(load->frame_us * waiting / load->workers);
}

uint64_t lq_load_stale_us(const struct lq_load *load)
{
    uint64_t late_us = (uint64_t)((double)lq_load_limit_us(load, load->limit_ms) * LQ_LOAD_LATE);
    uint64_t stale_us = lq_load_limit_us(load, LQ_LOAD_STALE_MS);
    // One hiccup drops nothing: a frame that waited for it keeps nobody else's from being smooth.
    bool full = load->sessions > 1 && (load->wait_us > room_us(load) || is_too_much(load, 0));
    return full || late_us > stale_us ? late_us : stale_us;
}

uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms)
{
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    uint64_t least_us = (uint64_t)(load->frame_us * LQ_LOAD_AHEAD);
    return limit_us > least_us ? limit_us : least_us;
}
