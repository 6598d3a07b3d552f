#include "serve/sched/load.h"

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

void lq_load_worked_still(struct lq_load *load, uint64_t us)
{
    add(&load->still_us, us);
}

uint64_t lq_load_busy_us(const struct lq_load *load)
{
    return load_of(&load->busy_us) + load_of(&load->still_us);
}

// The mean of the values counted since the last call; 0 if there are none.
static double mean_since(uint64_t sum, uint64_t *seen_sum, uint64_t count, uint64_t *seen_count)
{
    double mean = count == *seen_count ? 0
                                       : (double)(sum - *seen_sum) / (double)(count - *seen_count);
    *seen_sum = sum;
    *seen_count = count;
    return mean;
}

// Time in µs until every session has had a turn. Under overload each session always has a frame
// waiting, so a frame waits this long.
static double turn_us(const struct lq_load *load, int sessions)
{
    return load->frame_us * sessions / load->workers;
}

static double room_us(const struct lq_load *load)
{
    return (double)lq_load_limit_us(load, (int)(load->limit_ms * LQ_LOAD_ROOM));
}

// How many of the active sessions the machine has time for. Only the excess is shed: if all were
// shed, all would return together.
static int fitting(const struct lq_load *load)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms), share = 1;
    // The wait grows with the sessions, whether each has one frame in flight or two.
    if (load->wait_us > limit_us)
        share = limit_us / load->wait_us;
    if (load->need > LQ_LOAD_NEED_OUT && turn_us(load, load->sessions) > room_us(load))
        share = fmin(share, LQ_LOAD_NEED_IN / load->need);
    return (int)ceil(load->sessions * share);
}

// Decides how many sessions to shed, youngest first. If that is not enough, older ones follow, each
// time after a second in which the last decision could take effect.
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

// Frames per second that a session needs for a stream; on a slow machine, its share.
static int stream_frames(const struct lq_load *load)
{
    double share = load->contended_us > 0
                       ? load->workers * 1e6 / load->contended_us / LQ_LOAD_STREAMS
                       : LQ_LOAD_STREAM_FPS;
    return (int)ceil(fmin(share, LQ_LOAD_STREAM_FPS));
}

void lq_load_arrived(struct lq_load *load, struct lq_load_client *client)
{
    uint64_t tick = load->tick_count + 1; // + 1: a new session's 0 matches no tick
    if (client->tick != tick) {
        client->tick = tick;
        client->frames = 0;
        load->arrived_from++;
    }
    load->arrived++;
    // A client with two frames in flight sends as many as are answered, so only the frames that a
    // stream needs are counted.
    load->needed += client->frames++ < stream_frames(load);
}

// Summarises the second that ends now.
static void sum_up(struct lq_load *load, uint64_t now_us)
{
    double passed_us = load->ticked_us ? (double)(now_us - load->ticked_us) : 1e6;
    double done = load->contended_us > 0 ? load->workers * passed_us / load->contended_us : 0;
    load->demand = done > 0 ? (double)load->arrived / done : 0;
    load->need = done > 0 ? (double)load->needed / done : 0;
    load->sessions = load->arrived_from;
    load->ticked_us = now_us;
    load->tick_count++;
    load->arrived = load->needed = 0;
    load->arrived_from = load->admitted = 0;
}

static void set_rate(struct lq_load *load)
{
    const struct lq_rate_second second = {
        .demand = load->demand,
        .frames_max = load->contended_us > 0 ? load->workers * 1e6 / load->contended_us : 0,
        .sessions = load->sessions,
    };
    load->fps = lq_rate_fps(load->fps > 0 ? load->fps : LQ_RATE_FPS_MAX, &second);
}

// Moves halfway to the new value each second: a change takes a few seconds to show, and one unusual
// frame has little effect.
static double approach(double value, double seen)
{
    return value > 0 ? (value + seen) / 2 : seen;
}

// Estimates the cost of a frame, and its cost if all frames that can be propagated were. With the
// first alone, clients would have to send less as soon as there is some load, and the load would
// never be high enough for frames to be propagated.
static void judge_cost(struct lq_load *load)
{
    uint64_t frames = load_of(&load->frames) - load->seen_frames;
    uint64_t propagated = load_of(&load->propagated) - load->seen_propagated;
    uint64_t contended = load_of(&load->contended) - load->seen_contended;
    double frame_us = mean_since(load_of(&load->busy_us), &load->seen_busy_us,
                                 load_of(&load->frames), &load->seen_frames);
    double propagated_us = mean_since(load_of(&load->propagated_us), &load->seen_propagated_us,
                                      load_of(&load->propagated), &load->seen_propagated);
    load->seen_contended += contended;
    if (frame_us <= 0)
        return;
    double contended_us = frame_us;
    if (propagated > 0 && propagated < frames) {
        double looked_us = (frame_us * (double)frames - propagated_us * (double)propagated) /
                           (double)(frames - propagated);
        double most = LQ_PROPAGATED_FRAMES_MAX / (LQ_PROPAGATED_FRAMES_MAX + 1.0);
        double could = (double)(contended > propagated ? contended : propagated);
        double share = (double)propagated / could;
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
    set_rate(load);
}

// Whether `with` more streams would exceed the machine's capacity, with visible delay.
static bool is_too_much(const struct lq_load *load, int with)
{
    int sessions = load->sessions + with;
    return load->sessions > 0 && load->need * sessions / load->sessions > LQ_LOAD_NEED_IN &&
           turn_us(load, sessions) > room_us(load);
}

// Whether an inactive session may start now; if so, it is counted.
static bool admits(struct lq_load *load, int waiting)
{
    double limit_us = (double)lq_load_limit_us(load, load->limit_ms);
    // On a busy machine, count the sessions already admitted in this second. Otherwise all that
    // were refused would return at once and slow down the others until the next second shows it.
    int with = 1 + (load->demand > LQ_LOAD_HALF_BUSY ? load->admitted : 0);
    bool room = load->wait_us + turn_us(load, with) <= room_us(load) && !is_too_much(load, with) &&
                (double)lq_load_expected_us(load, waiting) <= limit_us * LQ_LOAD_BURST;
    load->admitted += room;
    return room;
}

// Whether a session that began `age_us` ago is shed.
static bool sheds(struct lq_load *load, const struct lq_load_share *share, uint64_t age_us)
{
    if (load->to_shed == 0 || age_us > load->shed_age_us || share->own < share->most)
        return false;
    load->to_shed--;
    return true;
}

bool lq_load_is_in(const struct lq_load_client *client, uint64_t now_us)
{
    return client->in && now_us - client->seen_us < LQ_LOAD_RECENT_S * UINT64_C(1000000);
}

bool lq_load_admit(struct lq_load *load, struct lq_load_client *client,
                   const struct lq_load_share *share, uint64_t now_us, int waiting)
{
    if (lq_load_is_in(client, now_us)) {
        client->in = !sheds(load, share, now_us - client->entered_us);
    } else {
        client->entered_us = now_us;
        client->in = admits(load, waiting) || share->own + 1 < share->most;
    }
    if (client->in) {
        client->seen_us = now_us;
        lq_load_arrived(load, client);
    }
    return client->in;
}

uint64_t lq_load_expected_us(const struct lq_load *load, int waiting)
{
    return (uint64_t)(load->frame_us * waiting / load->workers);
}

uint64_t lq_load_stale_us(const struct lq_load *load)
{
    uint64_t late_us = (uint64_t)((double)lq_load_limit_us(load, load->limit_ms) * LQ_LOAD_LATE);
    uint64_t stale_us = lq_load_limit_us(load, LQ_LOAD_STALE_MS);
    // A short stall drops no frame: one that waited for it does not delay other sessions.
    bool full = load->sessions > 1 && (load->wait_us > room_us(load) || is_too_much(load, 0));
    return full || late_us > stale_us ? late_us : stale_us;
}

uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms)
{
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    uint64_t least_us = (uint64_t)(load->frame_us * LQ_LOAD_AHEAD);
    return limit_us > least_us ? limit_us : least_us;
}
