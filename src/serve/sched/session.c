#include "serve/sched/mailbox.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

static void open_slot(struct lq_session *session, struct lq_frame_slot *slot)
{
    slot->session = session;
    lq_buf_init(&slot->body, LQ_BODY_BYTES_MAX);
    lq_buf_init(&slot->attachment, LQ_BODY_BYTES_MAX);
    // A reply may be larger than the request: a PNG of 16 megapixels, as text.
    lq_buf_init(&slot->picture, (size_t)LQ_FRAME_PIXELS_MAX * 9);
    lq_buf_init(&slot->message, (size_t)LQ_FRAME_PIXELS_MAX * 12);
    lq_charge_begin(&slot->held, session->holder);
    lq_charge_begin(&slot->decoded, session->holder);
}

struct lq_session *lq_session_open(struct lq_workers *workers, const struct lq_address *address,
                                   struct lq_holder *holder, void *owner,
                                   void (*ready)(struct lq_session *session))
{
    struct lq_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    pthread_mutex_lock(&workers->lock);
    bool entered = lq_turns_enter(&workers->turns, &session->turn, address);
    pthread_mutex_unlock(&workers->lock);
    if (!entered) {
        free(session);
        return NULL;
    }
    session->workers = workers;
    session->address = *address;
    session->holder = holder;
    session->owner = owner;
    session->ready = ready;
    session->used_us = lq_clock_us();
    for (int i = 0; i < LQ_SLOTS; i++)
        open_slot(session, &session->slots[i]);
    return session;
}

bool lq_session_track(struct lq_session *session)
{
    return lq_tracker_new(&session->tracker) == LQ_OK &&
           lq_surround_memory_new(&session->surround) == LQ_OK;
}

void lq_session_close(struct lq_session *session)
{
    if (!session)
        return;
    struct lq_workers *workers = session->workers;
    pthread_mutex_lock(&workers->lock);
    lq_turns_unqueue(&session->workers->turns, &session->turn);
    session->waiting_count = 0;
    session->closed = true;
    bool last = session->held == 0;
    pthread_mutex_unlock(&workers->lock);
    if (last)
        lq_session_free(session);
}

struct lq_frame_slot *lq_session_fill(struct lq_session *session)
{
    if (session->filling)
        return session->filling;
    pthread_mutex_lock(&session->workers->lock);
    struct lq_frame_slot *slot = session->slots;
    while (slot->state != LQ_SLOT_FREE) // one is free: the others are waiting or in flight
        slot++;
    slot->state = LQ_SLOT_FILLING;
    pthread_mutex_unlock(&session->workers->lock);
    lq_buf_clear(&slot->body);
    lq_buf_clear(&slot->attachment);
    lq_buf_clear(&slot->picture);
    lq_buf_clear(&slot->message);
    slot->request = (struct lq_frame_request){.ack = -1};
    slot->turn_kind = LQ_TURN_LIVE;
    slot->cost_us = slot->pixels = 0;
    slot->status = LQ_OK;
    slot->retry_s = 0;
    slot->error = (struct lq_error){0};
    slot->part_count = slot->part_next = 0;
    slot->width = slot->height = slot->nails = 0;
    session->filling = slot;
    return slot;
}

// Drops all waiting frames, because a newer one replaces them. With the lock held.
static void replace_waiting(struct lq_session *session)
{
    for (int i = 0; i < session->waiting_count; i++)
        session->waiting[i]->state = LQ_SLOT_FREE;
    session->replaced += (uint32_t)session->waiting_count;
    session->waiting_count = 0;
}

// Whether the waiting frame should be replaced by a newer one (session.h). With the lock held.
static bool is_overtaken(const struct lq_session *session, uint64_t now_us)
{
    const struct lq_frame_slot *oldest = session->waiting_count ? session->waiting[0] : NULL;
    return oldest && lq_frame_request_is_v1(&oldest->request) &&
           now_us - oldest->arrived_us >= LQ_OVERTAKEN_US &&
           session->workers->turns.live.count > session->turn.queued;
}

bool lq_session_hold(struct lq_session *session, size_t bytes)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    return lq_charge_grow(&slot->held, slot->body.len + slot->attachment.len + bytes);
}

void lq_session_post(struct lq_session *session)
{
    struct lq_frame_slot *slot = session->filling;
    session->filling = NULL;
    session->used_us = slot->arrived_us = lq_clock_us();
    session->trimmed = false;
    lq_frame_slot_charge(slot);
    pthread_mutex_lock(&session->workers->lock);
    if (session->waiting_count + session->flight_count >= LQ_IN_FLIGHT_MAX ||
        is_overtaken(session, slot->arrived_us))
        replace_waiting(session);
    slot->state = LQ_SLOT_WAITING;
    session->waiting[session->waiting_count++] = slot;
    // The session keeps its turn, unless that was for another kind of frame.
    if (session->turn.queued && session->turn.kind != session->waiting[0]->turn_kind)
        lq_turns_unqueue(&session->workers->turns, &session->turn);
    lq_session_queue(session);
    pthread_mutex_unlock(&session->workers->lock);
}

void lq_session_answer(struct lq_session *session)
{
    struct lq_frame_slot *slot = session->filling;
    session->filling = NULL;
    slot->arrived_us = lq_clock_us();
    lq_frame_slot_charge(slot);
    pthread_mutex_lock(&session->workers->lock);
    lq_turns_unqueue(&session->workers->turns, &session->turn);
    replace_waiting(session); // a reply settles all earlier frames
    bool fits = session->flight_count < LQ_IN_FLIGHT_MAX;
    slot->state = fits ? LQ_SLOT_READY : LQ_SLOT_FREE;
    if (fits)
        session->flight[session->flight_count++] = slot;
    else
        session->replaced++;
    pthread_mutex_unlock(&session->workers->lock);
    if (fits)
        session->ready(session);
}

void lq_session_refuse(struct lq_session *session)
{
    session->workers->work.refuse(session->filling);
    lq_session_answer(session);
}

bool lq_session_check_rate(struct lq_session *session, uint64_t now_us, int fps_max)
{
    const uint64_t second = 1000000, period = second / (uint64_t)fps_max;
    if (session->rate_due_us < now_us)
        session->rate_due_us = now_us;
    if (session->rate_due_us + period > now_us + second)
        return false;
    session->rate_due_us += period;
    return true;
}

void lq_session_drop(struct lq_session *session)
{
    if (!session->filling)
        return;
    lq_frame_slot_charge(session->filling);
    pthread_mutex_lock(&session->workers->lock);
    session->filling->state = LQ_SLOT_FREE;
    pthread_mutex_unlock(&session->workers->lock);
    session->filling = NULL;
}

struct lq_frame_slot *lq_session_reply(struct lq_session *session)
{
    pthread_mutex_lock(&session->workers->lock);
    struct lq_frame_slot *slot = session->flight_count ? session->flight[0] : NULL;
    if (slot && slot->state != LQ_SLOT_READY)
        slot = NULL;
    pthread_mutex_unlock(&session->workers->lock);
    return slot;
}

void lq_session_release(struct lq_session *session)
{
    pthread_mutex_lock(&session->workers->lock);
    session->flight[0]->state = LQ_SLOT_FREE;
    for (int i = 1; i < session->flight_count; i++)
        session->flight[i - 1] = session->flight[i];
    session->flight_count--;
    lq_session_queue(session);
    pthread_mutex_unlock(&session->workers->lock);
}

bool lq_session_busy(struct lq_session *session)
{
    pthread_mutex_lock(&session->workers->lock);
    bool busy = session->waiting_count || session->flight_count;
    pthread_mutex_unlock(&session->workers->lock);
    return busy;
}

struct lq_session_stills lq_session_stills(struct lq_session *session, enum lq_turn_kind kind,
                                           uint64_t cost_us)
{
    pthread_mutex_lock(&session->workers->lock);
    struct lq_session_stills stills = {
        lq_turns_stills(&session->turn),
        lq_turns_expected_us(&session->workers->turns, &session->turn, kind, cost_us)};
    pthread_mutex_unlock(&session->workers->lock);
    return stills;
}

// Whether all slots were free.
static bool release_free(struct lq_session *session)
{
    bool busy = false;
    for (int i = 0; i < LQ_SLOTS; i++) {
        // Only the loop changes a free slot's state, so it stays free here.
        pthread_mutex_lock(&session->workers->lock);
        bool is_free = session->slots[i].state == LQ_SLOT_FREE;
        pthread_mutex_unlock(&session->workers->lock);
        if (is_free) {
            lq_frame_slot_release(&session->slots[i]);
            lq_frame_slot_charge(&session->slots[i]);
        }
        busy |= !is_free;
    }
    return !busy;
}

void lq_session_release_unused(struct lq_session *session)
{
    (void)release_free(session);
}

bool lq_session_trim(struct lq_session *session, uint64_t now_us, uint64_t idle_us)
{
    if (session->trimmed || now_us - session->used_us < idle_us)
        return false;
    bool all = release_free(session);
    if (session->tracker)
        lq_tracker_rest(session->tracker);
    if (session->surround)
        lq_surround_memory_forget(session->surround);
    session->trimmed = all;
    return session->trimmed;
}
