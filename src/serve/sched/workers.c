// The workers: threads that take frames in turn (turns.h), and their results.
#include "serve/sched/mailbox.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/cpu.h"

// If both compete for one core, a normal worker gets three quarters of it.
enum { HEAVY_NICE = 5 };

static bool is_worked_on(const struct lq_session *session)
{
    for (int i = 0; i < session->flight_count; i++)
        if (session->flight[i]->state == LQ_SLOT_WORKING)
            return true;
    return false;
}

static struct lq_session *session_of(struct lq_turn *turn)
{
    return (struct lq_session *)(void *)((char *)turn - offsetof(struct lq_session, turn));
}

// Whether a frame that starts now may use all cores. Heavy stills have low priority and do not
// count against a live frame. With the lock held.
static bool is_exclusive(const struct lq_workers *workers, const struct lq_frame_slot *slot)
{
    const struct lq_turns *turns = &workers->turns;
    if (slot->session->waiting_count > 0 || turns->live.count > 0)
        return false;
    return slot->turn_kind == LQ_TURN_LIVE
               ? workers->working_count == turns->heavy_working
               : workers->working_count == 0 && turns->still.count == 0;
}

// Gives this thread the frame of the session whose turn it is. With the lock held.
static struct lq_frame_slot *begin(struct lq_thread *thread, struct lq_turn *turn,
                             const struct lq_turn_taken *taken)
{
    struct lq_workers *workers = thread->workers;
    struct lq_session *session = session_of(turn);
    struct lq_frame_slot *slot = session->waiting[0];
    for (int i = 1; i < session->waiting_count; i++)
        session->waiting[i - 1] = session->waiting[i];
    session->waiting_count--;
    slot->taken = *taken;
    slot->thread = thread;
    slot->exclusive = is_exclusive(workers, slot);
    slot->contended =
        slot->turn_kind == LQ_TURN_LIVE && workers->turns.live.count > 0 && !is_worked_on(session);
    slot->state = LQ_SLOT_WORKING;
    workers->working_count++;
    session->flight[session->flight_count++] = slot;
    session->held++;
    lq_session_queue(session); // another worker may take its next frame
    return slot;
}

// Takes the next frame in turn, and waits for one if `wait`; NULL if there is none or the workers
// stop. With the lock held.
static struct lq_frame_slot *take(struct lq_thread *thread, bool wait)
{
    struct lq_workers *workers = thread->workers;
    struct lq_turn *turn = NULL;
    struct lq_turn_taken taken;
    while (!workers->stop) {
        turn = lq_turns_take(&workers->turns, thread->heavy, &taken);
        if (turn || !wait)
            break;
        pthread_cond_wait(lq_workers_more(workers, thread->heavy), &workers->lock);
    }
    return turn ? begin(thread, turn, &taken) : NULL;
}

// Records that a thread begins a step of this slot or, if NULL, becomes idle. With the lock held.
static void mark(struct lq_thread *thread, const struct lq_frame_slot *slot)
{
    thread->since_us = slot ? lq_clock_us() : 0;
    thread->pixels = slot ? slot->pixels : 0;
}

// Queues an unanswered frame again, now as the kind that it has turned out to be. With the lock
// held.
static void requeue(struct lq_frame_slot *slot)
{
    struct lq_session *session = slot->session;
    int at = 0;
    while (session->flight[at] != slot)
        at++;
    for (int i = at + 1; i < session->flight_count; i++)
        session->flight[i - 1] = session->flight[i];
    session->flight_count--;
    session->held--;
    if (session->waiting_count == LQ_IN_FLIGHT_MAX) { // newer ones have replaced it
        slot->state = LQ_SLOT_FREE;
        session->replaced++;
        return;
    }
    for (int i = session->waiting_count++; i > 0; i--)
        session->waiting[i] = session->waiting[i - 1];
    session->waiting[0] = slot;
    slot->state = LQ_SLOT_WAITING;
    lq_turns_unqueue(&session->workers->turns, &session->turn); // may be another frame's
    lq_session_queue(session);
}

// Puts a finished slot on the done list; true if it is the first there. With the lock held.
static bool give(struct lq_workers *workers, struct lq_frame_slot *slot)
{
    bool first = !workers->done;
    workers->working_count--;
    lq_turns_done(&workers->turns, &slot->taken);
    if (workers->turns.still.count > 0) { // one that had to wait for it may run now
        pthread_cond_signal(&workers->more);
        pthread_cond_signal(&workers->more_heavy);
    }
    if (slot->again && !slot->session->closed) {
        requeue(slot);
        return false;
    }
    slot->state = LQ_SLOT_DONE;
    slot->next_done = workers->done;
    workers->done = slot;
    return first;
}

static void run(struct lq_thread *thread, struct lq_frame_slot *slot)
{
    slot->again = false;
    thread->workers->work.run(thread->worker, slot);
    lq_charge_set(&slot->decoded, 0);
    lq_frame_slot_charge(slot);
}

// Returns one frame and takes the next in a single step. Otherwise a client with two frames in
// flight could get its reply and send a third before the second was taken, and so lose the second.
static struct lq_frame_slot *exchange(struct lq_thread *thread, struct lq_frame_slot *done)
{
    struct lq_workers *workers = thread->workers;
    pthread_mutex_lock(&workers->lock);
    mark(thread, NULL);
    bool first = done && give(workers, done);
    // If there is no next frame, the loop is woken before this thread waits.
    struct lq_frame_slot *next = take(thread, !first);
    mark(thread, next);
    pthread_mutex_unlock(&workers->lock);
    // The loop takes the whole done list at once, so only the first of a batch needs to wake it.
    if (first)
        workers->wake(workers->wake_context);
    return next;
}

bool lq_workers_step(struct lq_frame_slot *slot)
{
    struct lq_workers *workers = slot->thread->workers;
    pthread_mutex_lock(&workers->lock);
    mark(slot->thread, slot);
    bool yields = workers->turns.someone_live && slot->turn_kind != LQ_TURN_LIVE;
    pthread_mutex_unlock(&workers->lock);
    return yields;
}

static bool stopping(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    bool stop = workers->stop;
    pthread_mutex_unlock(&workers->lock);
    return stop;
}

static void *work(void *context)
{
    struct lq_thread *thread = context;
    struct lq_frame_slot *slot = NULL;
    if (thread->heavy) // if that is not allowed, it gets an equal share of the cores
        (void)!setpriority(PRIO_PROCESS, 0, HEAVY_NICE);
    do {
        slot = exchange(thread, slot);
        if (slot)
            run(thread, slot);
    } while (slot || !stopping(thread->workers));
    return NULL;
}

int lq_workers_start(struct lq_workers **out, const struct lq_work *tasks, int count,
                     void (*wake)(void *context), void *wake_context, struct lq_error *err)
{
    struct lq_turns turns;
    lq_turns_init(&turns, count, lq_cpu_count());
    int all = count + turns.heavy_max;
    size_t threads_bytes = (size_t)all * sizeof(struct lq_thread);
    struct lq_workers *workers = calloc(1, sizeof *workers + threads_bytes);
    if (!workers)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    workers->work = *tasks;
    workers->wake = wake;
    workers->wake_context = wake_context;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->more, NULL);
    pthread_cond_init(&workers->more_heavy, NULL);
    workers->turns = turns;
    int status = LQ_OK;
    for (int i = 0; i < all && status == LQ_OK; i++) {
        struct lq_thread *thread = &workers->threads[i];
        thread->workers = workers;
        thread->heavy = i >= count;
        workers->count = i + 1;
        status = tasks->open(tasks->context, thread->heavy, &thread->worker, err);
        if (status == LQ_OK) {
            thread->running = pthread_create(&thread->thread, NULL, work, thread) == 0;
            if (!thread->running)
                status = lq_fail(err, LQ_ERR_MEMORY, "cannot start worker thread %d", i + 1);
        }
    }
    if (status != LQ_OK) {
        lq_workers_free(workers);
        return status;
    }
    *out = workers;
    return LQ_OK;
}

struct lq_workers_stalled lq_workers_stalled(struct lq_workers *workers, uint64_t now_us,
                                             uint64_t limit_us)
{
    int stalled = 0, served = 0;
    pthread_mutex_lock(&workers->lock);
    for (int i = 0; i < workers->count; i++) {
        const struct lq_thread *thread = &workers->threads[i];
        uint64_t allowed_us = limit_us * (1 + thread->pixels / LQ_STALL_PIXELS);
        bool hangs = thread->since_us && thread->since_us + allowed_us < now_us;
        stalled += hangs;
        served += !hangs && !thread->heavy;
    }
    pthread_mutex_unlock(&workers->lock);
    return (struct lq_workers_stalled){stalled, served == 0};
}

void lq_workers_stop(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->stop = true;
    pthread_cond_broadcast(&workers->more);
    pthread_cond_broadcast(&workers->more_heavy);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->count; i++)
        if (workers->threads[i].running) {
            pthread_join(workers->threads[i].thread, NULL);
            workers->threads[i].running = false;
        }
    lq_workers_collect(workers);
}

void lq_workers_free(struct lq_workers *workers)
{
    if (!workers)
        return;
    lq_workers_stop(workers);
    for (int i = 0; i < workers->count; i++)
        if (workers->threads[i].worker)
            workers->work.close(workers->threads[i].worker);
    pthread_cond_destroy(&workers->more);
    pthread_cond_destroy(&workers->more_heavy);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

void lq_workers_collect(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    struct lq_frame_slot *done = workers->done;
    workers->done = NULL;
    pthread_mutex_unlock(&workers->lock);
    while (done) {
        struct lq_frame_slot *slot = done;
        struct lq_session *session = slot->session;
        done = slot->next_done;
        pthread_mutex_lock(&workers->lock);
        slot->state = LQ_SLOT_READY;
        bool closed = session->closed, last = --session->held == 0;
        pthread_mutex_unlock(&workers->lock);
        if (!closed)
            session->ready(session);
        else if (last)
            lq_session_free(session);
    }
}

int lq_workers_waiting(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    int count = workers->turns.live.count;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

void lq_workers_set_live(struct lq_workers *workers, bool someone)
{
    pthread_mutex_lock(&workers->lock);
    if (workers->turns.someone_live && !someone)
        pthread_cond_broadcast(&workers->more); // light stills may have one more worker
    workers->turns.someone_live = someone;
    pthread_mutex_unlock(&workers->lock);
}

static void add_waiting(struct lq_turn *turn, void *context)
{
    struct lq_workers_state *state = context;
    const struct lq_session *session = session_of(turn);
    uint64_t arrived_us = session->waiting[0]->arrived_us;
    state->waiting += session->waiting_count;
    if (!state->oldest_us || arrived_us < state->oldest_us)
        state->oldest_us = arrived_us;
}

struct lq_workers_state lq_workers_state(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    struct lq_workers_state state = {.working = workers->working_count};
    lq_turns_each(&workers->turns, add_waiting, &state);
    pthread_mutex_unlock(&workers->lock);
    return state;
}
