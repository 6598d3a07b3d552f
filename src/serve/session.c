#include "serve/session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

struct lq_thread {
    struct lq_workers *workers;
    void *worker;
    pthread_t thread;
    bool running;
    uint64_t since_us; // lock: when it took what it works on; 0: nothing
};

struct lq_workers {
    struct lq_work work;
    void (*wake)(void *context);
    void *wake_context;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct lq_session *first, *last; // lock: sessions with a frame to take, in turn
    int queued_count;                // lock: how many these are
    int working_count;               // lock: frames that workers have
    struct lq_slot *done;            // lock: newest first
    bool stop;                       // lock
    int count;
    struct lq_thread threads[];
};

// Puts a session at the ring's end if it has a frame that may be taken now. With the lock held.
static void queue(struct lq_session *session)
{
    struct lq_workers *workers = session->workers;
    if (session->queued || !session->waiting_count || session->flight_count == LQ_IN_FLIGHT_MAX)
        return;
    session->queued = true;
    workers->queued_count++;
    session->next_ready = NULL;
    if (workers->last)
        workers->last->next_ready = session;
    else
        workers->first = session;
    workers->last = session;
    pthread_cond_signal(&workers->more);
}

static void unqueue(struct lq_session *session)
{
    struct lq_workers *workers = session->workers;
    struct lq_session *before = NULL;
    if (!session->queued)
        return;
    for (struct lq_session *each = workers->first; each != session; each = each->next_ready)
        before = each;
    *(before ? &before->next_ready : &workers->first) = session->next_ready;
    if (workers->last == session)
        workers->last = before;
    session->queued = false;
    workers->queued_count--;
}

static bool is_worked_on(const struct lq_session *session)
{
    for (int i = 0; i < session->flight_count; i++)
        if (session->flight[i]->state == LQ_SLOT_WORKING)
            return true;
    return false;
}

// The next frame in turn, waiting for one; NULL when it is time to stop. With the lock held.
static struct lq_slot *take(struct lq_workers *workers)
{
    while (!workers->first && !workers->stop)
        pthread_cond_wait(&workers->more, &workers->lock);
    if (workers->stop)
        return NULL;
    struct lq_session *session = workers->first;
    struct lq_slot *slot = session->waiting[0];
    unqueue(session);
    for (int i = 1; i < session->waiting_count; i++)
        session->waiting[i - 1] = session->waiting[i];
    session->waiting_count--;
    slot->alone = workers->working_count == 0 && !workers->first && !session->waiting_count;
    slot->pressed = workers->first && !is_worked_on(session);
    slot->state = LQ_SLOT_WORKING;
    workers->working_count++;
    session->flight[session->flight_count++] = slot;
    session->held++;
    queue(session); // another worker may take its next
    return slot;
}

// Puts a finished slot on the done list; true when it is the first there. With the lock held.
static bool give(struct lq_workers *workers, struct lq_slot *slot)
{
    bool first = !workers->done;
    slot->state = LQ_SLOT_DONE;
    workers->working_count--;
    slot->next_done = workers->done;
    workers->done = slot;
    return first;
}

// Gives one frame back and takes the next in one go: else a client that keeps two frames under way
// could see its reply and send a third before the second was taken, and so lose it.
static struct lq_slot *exchange(struct lq_thread *thread, struct lq_slot *done)
{
    struct lq_workers *workers = thread->workers;
    pthread_mutex_lock(&workers->lock);
    thread->since_us = 0;
    bool first = done && give(workers, done);
    struct lq_slot *next = NULL;
    if (workers->first || !first)
        next = take(workers);
    thread->since_us = next ? lq_clock_us() : 0;
    pthread_mutex_unlock(&workers->lock);
    // The loop takes the whole done list at once, so only the first of a batch needs to wake it.
    if (first)
        workers->wake(workers->wake_context);
    return next;
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
    struct lq_slot *slot = NULL;
    do {
        slot = exchange(thread, slot);
        if (slot)
            thread->workers->work.run(thread->worker, slot);
    } while (slot || !stopping(thread->workers));
    return NULL;
}

int lq_workers_start(struct lq_workers **out, const struct lq_work *tasks, int count,
                     void (*wake)(void *context), void *wake_context, struct lq_error *err)
{
    struct lq_workers *workers = calloc(1, sizeof *workers + (size_t)count * sizeof(struct lq_thread));
    if (!workers)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    workers->work = *tasks;
    workers->wake = wake;
    workers->wake_context = wake_context;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->more, NULL);
    int status = LQ_OK;
    for (int i = 0; i < count && status == LQ_OK; i++) {
        struct lq_thread *thread = &workers->threads[i];
        thread->workers = workers;
        workers->count = i + 1;
        status = tasks->open(tasks->context, &thread->worker, err);
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

int lq_workers_stalled(struct lq_workers *workers, uint64_t now_us, uint64_t limit_us)
{
    int stalled = 0;
    pthread_mutex_lock(&workers->lock);
    for (int i = 0; i < workers->count; i++)
        stalled += workers->threads[i].since_us && workers->threads[i].since_us + limit_us < now_us;
    pthread_mutex_unlock(&workers->lock);
    return stalled;
}

void lq_workers_stop(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->stop = true;
    pthread_cond_broadcast(&workers->more);
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
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

static void release_slot(struct lq_slot *slot)
{
    lq_buf_release(&slot->body);
    lq_buf_release(&slot->attachment);
    lq_buf_release(&slot->picture);
    lq_buf_release(&slot->message);
}

static void free_session(struct lq_session *session)
{
    for (int i = 0; i < LQ_SLOTS; i++)
        release_slot(&session->slots[i]);
    lq_tracker_free(session->tracker);
    free(session);
}

void lq_workers_collect(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    struct lq_slot *done = workers->done;
    workers->done = NULL;
    pthread_mutex_unlock(&workers->lock);
    while (done) {
        struct lq_slot *slot = done;
        struct lq_session *session = slot->session;
        done = slot->next_done;
        pthread_mutex_lock(&workers->lock);
        slot->state = LQ_SLOT_READY;
        bool closed = session->closed, last = --session->held == 0;
        pthread_mutex_unlock(&workers->lock);
        if (!closed)
            session->ready(session);
        else if (last)
            free_session(session);
    }
}

struct lq_session *lq_session_open(struct lq_workers *workers, void *owner,
                                   void (*ready)(struct lq_session *session))
{
    struct lq_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->workers = workers;
    session->owner = owner;
    session->ready = ready;
    session->used_us = lq_clock_us();
    for (int i = 0; i < LQ_SLOTS; i++) {
        struct lq_slot *slot = &session->slots[i];
        slot->session = session;
        lq_buf_init(&slot->body, LQ_BODY_BYTES_MAX);
        lq_buf_init(&slot->attachment, LQ_BODY_BYTES_MAX);
        // A reply may be larger than what was sent: a PNG of 16 megapixels, as text.
        lq_buf_init(&slot->picture, (size_t)LQ_FRAME_PIXELS_MAX * 9);
        lq_buf_init(&slot->message, (size_t)LQ_FRAME_PIXELS_MAX * 12);
    }
    return session;
}

bool lq_session_track(struct lq_session *session)
{
    return lq_tracker_new(&session->tracker) == LQ_OK;
}

void lq_session_close(struct lq_session *session)
{
    if (!session)
        return;
    struct lq_workers *workers = session->workers;
    pthread_mutex_lock(&workers->lock);
    unqueue(session);
    session->waiting_count = 0;
    session->closed = true;
    bool last = session->held == 0;
    pthread_mutex_unlock(&workers->lock);
    if (last)
        free_session(session);
}

struct lq_slot *lq_session_fill(struct lq_session *session)
{
    if (session->filling)
        return session->filling;
    pthread_mutex_lock(&session->workers->lock);
    struct lq_slot *slot = session->slots;
    while (slot->state != LQ_SLOT_FREE) // there is one: the others are waiting or in flight
        slot++;
    slot->state = LQ_SLOT_FILLING;
    pthread_mutex_unlock(&session->workers->lock);
    lq_buf_clear(&slot->body);
    lq_buf_clear(&slot->attachment);
    lq_buf_clear(&slot->picture);
    lq_buf_clear(&slot->message);
    slot->ask = (struct lq_ask){.ack = -1};
    slot->status = LQ_OK;
    slot->error = (struct lq_error){0};
    slot->part_count = slot->part_next = 0;
    slot->width = slot->height = slot->nails = 0;
    session->filling = slot;
    return slot;
}

// A newer frame takes the place of all that wait. With the lock held.
static void replace_waiting(struct lq_session *session)
{
    for (int i = 0; i < session->waiting_count; i++)
        session->waiting[i]->state = LQ_SLOT_FREE;
    session->replaced += (uint32_t)session->waiting_count;
    session->waiting_count = 0;
}

// Whether the frame that waits had better make room for a newer one (session.h). With the lock held.
static bool is_overtaken(const struct lq_session *session, uint64_t now_us)
{
    const struct lq_slot *oldest = session->waiting_count ? session->waiting[0] : NULL;
    return oldest && lq_ask_is_v1(&oldest->ask) && now_us - oldest->arrived_us >= LQ_OVERTAKEN_US &&
           session->workers->queued_count > session->queued;
}

void lq_session_post(struct lq_session *session)
{
    struct lq_slot *slot = session->filling;
    session->filling = NULL;
    session->used_us = slot->arrived_us = lq_clock_us();
    session->trimmed = false;
    pthread_mutex_lock(&session->workers->lock);
    if (session->waiting_count + session->flight_count >= LQ_IN_FLIGHT_MAX ||
        is_overtaken(session, slot->arrived_us))
        replace_waiting(session);
    slot->state = LQ_SLOT_WAITING;
    session->waiting[session->waiting_count++] = slot;
    queue(session);
    pthread_mutex_unlock(&session->workers->lock);
}

void lq_session_answer(struct lq_session *session)
{
    struct lq_slot *slot = session->filling;
    session->filling = NULL;
    slot->arrived_us = lq_clock_us();
    pthread_mutex_lock(&session->workers->lock);
    unqueue(session);
    replace_waiting(session); // an answer settles all that came before
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

bool lq_session_pace(struct lq_session *session, uint64_t now_us, int fps_max)
{
    const uint64_t second = 1000000, period = second / (uint64_t)fps_max;
    if (session->paced_us < now_us)
        session->paced_us = now_us;
    if (session->paced_us + period > now_us + second)
        return false;
    session->paced_us += period;
    return true;
}

void lq_session_drop(struct lq_session *session)
{
    if (!session->filling)
        return;
    pthread_mutex_lock(&session->workers->lock);
    session->filling->state = LQ_SLOT_FREE;
    pthread_mutex_unlock(&session->workers->lock);
    session->filling = NULL;
}

struct lq_slot *lq_session_reply(struct lq_session *session)
{
    pthread_mutex_lock(&session->workers->lock);
    struct lq_slot *slot = session->flight_count ? session->flight[0] : NULL;
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
    queue(session);
    pthread_mutex_unlock(&session->workers->lock);
}

int lq_workers_waiting(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    int count = workers->queued_count;
    pthread_mutex_unlock(&workers->lock);
    return count;
}

struct lq_workers_state lq_workers_state(struct lq_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    struct lq_workers_state state = {.working = workers->working_count};
    for (struct lq_session *each = workers->first; each; each = each->next_ready) {
        uint64_t came_us = each->waiting[0]->arrived_us;
        state.waiting += each->waiting_count;
        if (!state.oldest_us || came_us < state.oldest_us)
            state.oldest_us = came_us;
    }
    pthread_mutex_unlock(&workers->lock);
    return state;
}

bool lq_session_busy(struct lq_session *session)
{
    pthread_mutex_lock(&session->workers->lock);
    bool busy = session->waiting_count || session->flight_count;
    pthread_mutex_unlock(&session->workers->lock);
    return busy;
}

size_t lq_session_bytes(struct lq_session *session)
{
    size_t bytes = 0;
    pthread_mutex_lock(&session->workers->lock);
    for (int i = 0; i < LQ_SLOTS; i++) {
        const struct lq_slot *slot = &session->slots[i];
        if (slot->state != LQ_SLOT_WORKING)
            bytes += slot->body.cap + slot->attachment.cap + slot->picture.cap + slot->message.cap;
    }
    pthread_mutex_unlock(&session->workers->lock);
    return bytes;
}

// Whether all slots were free.
static bool release_free(struct lq_session *session)
{
    bool busy = false;
    for (int i = 0; i < LQ_SLOTS; i++) {
        // Only the loop makes a free slot anything else, so it stays free meanwhile.
        pthread_mutex_lock(&session->workers->lock);
        bool is_free = session->slots[i].state == LQ_SLOT_FREE;
        pthread_mutex_unlock(&session->workers->lock);
        if (is_free)
            release_slot(&session->slots[i]);
        busy |= !is_free;
    }
    return !busy;
}

void lq_session_release_spare(struct lq_session *session)
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
    session->trimmed = all;
    return session->trimmed;
}
