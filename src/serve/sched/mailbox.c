#include "serve/sched/mailbox.h"

#include <stdlib.h>

pthread_cond_t *lq_workers_more(struct lq_workers *workers, bool heavy)
{
    return heavy ? &workers->more_heavy : &workers->more;
}

void lq_session_queue(struct lq_session *session)
{
    struct lq_workers *workers = session->workers;
    if (session->turn.queued || !session->waiting_count ||
        session->flight_count == LQ_IN_FLIGHT_MAX)
        return;
    const struct lq_frame_slot *slot = session->waiting[0];
    lq_turns_queue(&workers->turns, &session->turn, slot->turn_kind, slot->cost_us);
    pthread_cond_signal(lq_workers_more(workers, slot->turn_kind == LQ_TURN_HEAVY));
}

// Memory used by a slot's buffers.
static size_t slot_bytes(const struct lq_frame_slot *slot)
{
    return slot->body.cap + slot->attachment.cap + slot->picture.cap + slot->message.cap;
}

void lq_frame_slot_charge(struct lq_frame_slot *slot)
{
    lq_charge_set(&slot->held, slot_bytes(slot));
}

void lq_frame_slot_release(struct lq_frame_slot *slot)
{
    lq_buf_release(&slot->body);
    lq_buf_release(&slot->attachment);
    lq_buf_release(&slot->picture);
    lq_buf_release(&slot->message);
}

void lq_session_free(struct lq_session *session)
{
    for (int i = 0; i < LQ_SLOTS; i++) {
        lq_frame_slot_release(&session->slots[i]);
        lq_charge_end(&session->slots[i].held);
        lq_charge_end(&session->slots[i].decoded);
    }
    pthread_mutex_lock(&session->workers->lock);
    lq_turns_leave(&session->workers->turns, &session->turn);
    pthread_mutex_unlock(&session->workers->lock);
    lq_tracker_free(session->tracker);
    lq_surround_memory_free(session->surround);
    lq_holder_release(session->holder);
    free(session);
}
