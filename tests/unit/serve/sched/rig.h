// Workers with a task of the test's own instead of the pipeline, for the tests of sessions and of
// workers. Include in one file of a program.
// Threads: the test's own is the loop; the task runs on those of the workers.
// Owner: start and stop; whoever opens a session closes it.
#pragma once

#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "serve/sched/session.h"
#include "unit/unit.h"

// A worker's task: with `gated`, waits for `go`; then copies the frame's body into the reply.
struct rig {
    struct lq_workers *workers;
    sem_t wakes;        // the loop was woken
    sem_t taken, go;    // with `gated`: a frame was taken; it may be finished
    atomic_bool gated;
    atomic_int steps;   // of a heavy frame, each of which is gated
    atomic_bool refuse_light; // a light still turns out to be heavy
    atomic_int open, run;
    int ready;          // calls of the ready callback
    struct lq_session *taken_by[512]; // whose frames were taken, in order; with one worker
    bool exclusive[512], contended[512], yields[512]; // … and their flags
    int taken_count;
};

static struct rig rig;

static inline int task_open(void *context, bool heavy, void **worker, struct lq_error *err)
{
    (void)err, (void)heavy;
    struct rig *mine = context;
    atomic_fetch_add(&mine->open, 1);
    *worker = mine;
    return LQ_OK;
}

static inline void wait_to_go(struct rig *mine)
{
    sem_post(&mine->taken);
    sem_wait(&mine->go);
}

static inline void task_run(void *worker, struct lq_frame_slot *slot)
{
    struct rig *mine = worker;
    atomic_fetch_add(&mine->run, 1);
    if (slot->turn_kind != LQ_TURN_HEAVY && atomic_load(&mine->refuse_light)) {
        slot->turn_kind = LQ_TURN_HEAVY;
        slot->again = true;
        return;
    }
    for (int i = 0; slot->turn_kind == LQ_TURN_HEAVY && i < atomic_load(&mine->steps); i++) {
        wait_to_go(mine);
        (void)lq_workers_step(slot);
    }
    if (atomic_load(&mine->gated)) {
        assert_in_range(mine->taken_count, 0, 511);
        mine->exclusive[mine->taken_count] = slot->exclusive;
        mine->contended[mine->taken_count] = slot->contended;
        mine->yields[mine->taken_count] = lq_workers_step(slot);
        mine->taken_by[mine->taken_count++] = slot->session;
        wait_to_go(mine);
    }
    lq_buf_clear(&slot->message);
    if (lq_buf_append(&slot->message, slot->body.data, slot->body.len) != LQ_OK)
        slot->status = LQ_ERR_MEMORY;
    slot->nails = (int)slot->request.frame_id;
}

static inline void task_close(void *worker)
{
    atomic_fetch_sub(&((struct rig *)worker)->open, 1);
}

static inline void on_wake(void *context)
{
    sem_post(&((struct rig *)context)->wakes);
}

static inline void on_ready(struct lq_session *session)
{
    (void)session;
    rig.ready++;
}

static inline void start(int count, bool gated)
{
    memset(&rig, 0, sizeof rig);
    sem_init(&rig.wakes, 0, 0);
    sem_init(&rig.taken, 0, 0);
    sem_init(&rig.go, 0, 0);
    atomic_store(&rig.gated, gated);
    const struct lq_work work = {task_open, task_run, task_close, &rig};
    assert_ok(lq_workers_start(&rig.workers, &work, count, on_wake, &rig, NULL));
}

static inline void stop(void)
{
    atomic_store(&rig.gated, false);
    for (int i = 0; i < 8; i++)
        sem_post(&rig.go);
    lq_workers_free(rig.workers);
    assert_int_equal(atomic_load(&rig.open), 0);
}

static inline struct lq_session *open_from(uint8_t host, struct lq_holder *holder)
{
    const struct lq_address address = {{'v', '4', 0, 0, 10, 0, 0, host}};
    struct lq_session *session = lq_session_open(rig.workers, &address, holder, &rig, on_ready);
    assert_non_null(session);
    return session;
}

static inline struct lq_session *open_session(void)
{
    return open_from(1, NULL);
}

static inline void post(struct lq_session *session, uint32_t id)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    slot->request.frame_id = id;
    assert_ok(lq_buf_append(&slot->body, &id, sizeof id));
    lq_session_post(session);
}

// Posts a frame and waits until a worker has taken it; with `gated` the worker then holds it.
static inline void post_taken(struct lq_session *session, uint32_t id)
{
    post(session, id);
    sem_wait(&rig.taken);
}

// Lets the worker that holds a frame finish it, and all later frames without waiting.
static inline void open_gate(void)
{
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
}

// The loop: waits for the next reply and takes it; its id.
static inline uint32_t next_reply(struct lq_session *session)
{
    struct lq_frame_slot *slot;
    while (!(slot = lq_session_reply(session))) {
        sem_wait(&rig.wakes);
        lq_workers_collect(rig.workers);
    }
    uint32_t id;
    assert_int_equal(slot->message.len, sizeof id);
    memcpy(&id, slot->message.data, sizeof id);
    assert_int_equal(slot->nails, (int)id);
    lq_session_release(session);
    return id;
}

static inline void go_on(void)
{
    sem_post(&rig.go);
    sem_wait(&rig.taken);
}
