// Sessions and workers with a task of the test's own instead of the pipeline.
#include "serve/sched/session.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/unit.h"

// A worker's task: waits to be let go if asked to, then copies what came into the reply.
struct rig {
    struct lq_workers *workers;
    sem_t wakes;        // the loop was woken
    sem_t taken, go;    // with `gated`: a frame was taken; it may be finished
    atomic_bool gated;
    atomic_int steps;   // of a heavy one, each of which is gated
    atomic_bool refuse_light; // a light still turns out to be heavy
    atomic_int open, run;
    int ready;          // calls of the ready callback
    struct lq_session *taken_by[512]; // whose frames were taken, in turn; with one worker
    bool exclusive[512], contended[512], yields[512]; // … and what was said of them
    int taken_count;
};

static struct rig rig;

static int task_open(void *context, bool heavy, void **worker, struct lq_error *err)
{
    (void)err, (void)heavy;
    struct rig *mine = context;
    atomic_fetch_add(&mine->open, 1);
    *worker = mine;
    return LQ_OK;
}

static void wait_to_go(struct rig *mine)
{
    sem_post(&mine->taken);
    sem_wait(&mine->go);
}

static void task_run(void *worker, struct lq_frame_slot *slot)
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

static void task_close(void *worker)
{
    atomic_fetch_sub(&((struct rig *)worker)->open, 1);
}

static void on_wake(void *context)
{
    sem_post(&((struct rig *)context)->wakes);
}

static void on_ready(struct lq_session *session)
{
    (void)session;
    rig.ready++;
}

static void start(int count, bool gated)
{
    memset(&rig, 0, sizeof rig);
    sem_init(&rig.wakes, 0, 0);
    sem_init(&rig.taken, 0, 0);
    sem_init(&rig.go, 0, 0);
    atomic_store(&rig.gated, gated);
    const struct lq_work work = {task_open, task_run, task_close, &rig};
    assert_ok(lq_workers_start(&rig.workers, &work, count, on_wake, &rig, NULL));
}

static void stop(void)
{
    atomic_store(&rig.gated, false);
    for (int i = 0; i < 8; i++)
        sem_post(&rig.go);
    lq_workers_free(rig.workers);
    assert_int_equal(atomic_load(&rig.open), 0);
}

static struct lq_session *open_from(uint8_t host, struct lq_holder *holder)
{
    const struct lq_address address = {{'v', '4', 0, 0, 10, 0, 0, host}};
    struct lq_session *session = lq_session_open(rig.workers, &address, holder, &rig, on_ready);
    assert_non_null(session);
    return session;
}

static struct lq_session *open_session(void)
{
    return open_from(1, NULL);
}

static void post(struct lq_session *session, uint32_t id)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    slot->request.frame_id = id;
    assert_ok(lq_buf_append(&slot->body, &id, sizeof id));
    lq_session_post(session);
}

// The loop: waits for the next reply and takes it; its id.
static uint32_t next_reply(struct lq_session *session)
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

static void answers_in_order(void **state)
{
    (void)state;
    start(3, false);
    struct lq_session *session = open_session();
    post(session, 1);
    for (uint32_t id = 2; id <= 2000; id++) {
        post(session, id); // two in flight: none may be lost
        assert_int_equal(next_reply(session), id - 1);
    }
    assert_int_equal(next_reply(session), 2000);
    assert_int_equal(session->replaced, 0);
    assert_false(lq_session_busy(session));
    lq_session_close(session);
    stop();
}

static void two_posted_before_a_worker_wakes_are_both_kept(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *other = open_session(), *session = open_session();
    post(other, 9);
    sem_wait(&rig.taken); // the only worker is busy
    post(session, 1);
    post(session, 2);
    assert_int_equal(session->replaced, 0);
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 2);
    lq_session_close(session);
    lq_session_close(other);
    stop();
}

static void the_newest_frame_wins(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    post(session, 1);
    sem_wait(&rig.taken);
    for (uint32_t id = 2; id <= 100; id++)
        post(session, id);
    assert_int_equal(session->replaced, 98);
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 100);
    assert_false(lq_session_busy(session));
    assert_int_equal(atomic_load(&rig.run), 2);
    lq_session_close(session);
    stop();
}

static void replies_that_are_not_taken_stop_the_work(void **state)
{
    (void)state;
    start(2, false);
    struct lq_session *session = open_session();
    for (uint32_t id = 1; id <= 50; id++)
        post(session, id);
    while (atomic_load(&rig.run) < LQ_IN_FLIGHT_MAX) // however slow the machine is
        usleep(1000);
    usleep(20000);
    lq_workers_collect(rig.workers);
    for (uint32_t id = 51; id <= 100; id++)
        post(session, id);
    usleep(20000);
    // Two are finished and unsent, the newest waits; nothing else was worked on.
    assert_int_equal(atomic_load(&rig.run), LQ_IN_FLIGHT_MAX);
    next_reply(session);
    next_reply(session);
    assert_int_equal(next_reply(session), 100);
    lq_session_close(session);
    stop();
}

static void go_on(void)
{
    sem_post(&rig.go);
    sem_wait(&rig.taken);
}

// A lacquer.v1 frame that came `age_us` ago waits, and a newer one comes while another session's
// frame waits too, or none does.
static int replaced_by_a_newer(uint64_t age_us, bool others, enum lq_reply_form form)
{
    start(1, true);
    struct lq_session *session = open_session(), *other = open_session();
    post(other, 1);
    sem_wait(&rig.taken); // the only worker is busy
    if (others)
        post(other, 2);
    for (uint32_t id = 1; id <= 2; id++) {
        struct lq_frame_slot *slot = lq_session_fill(session);
        slot->request.reply_form = form;
        post(session, id);
        slot->arrived_us -= age_us;
    }
    int replaced = (int)session->replaced;
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), replaced + 1);
    if (!replaced)
        assert_int_equal(next_reply(session), 2);
    lq_session_close(session);
    lq_session_close(other);
    stop();
    return replaced;
}

static void while_others_wait_a_newer_frame_overtakes_an_old_one(void **state)
{
    (void)state;
    uint64_t old = LQ_OVERTAKEN_US;
    assert_int_equal(replaced_by_a_newer(old, true, LQ_REPLY_V1), 1);
    assert_int_equal(replaced_by_a_newer(old, true, LQ_REPLY_V1_NAILS), 1);
    assert_int_equal(replaced_by_a_newer(0, true, LQ_REPLY_V1), 0);      // both just came
    assert_int_equal(replaced_by_a_newer(old, false, LQ_REPLY_V1), 0);   // nobody is kept waiting
    assert_int_equal(replaced_by_a_newer(old, true, LQ_REPLY_PICTURE), 0); // has no ids to tell by
}

static void tells_whether_others_wait(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *one = open_session(), *other = open_session();
    post(one, 1);
    sem_wait(&rig.taken);
    assert_true(rig.exclusive[0] && !rig.contended[0]);
    post(one, 2);
    post(other, 1);
    go_on(); // one's second, while the other's waits
    assert_true(rig.taken_by[1] == one && !rig.exclusive[1] && rig.contended[1]);
    go_on();
    assert_true(rig.taken_by[2] == other && rig.exclusive[2] && !rig.contended[2]);
    lq_session_close(one);
    lq_session_close(other);
    stop();
}

static void a_second_frame_of_a_session_is_not_pressed(void **state)
{
    (void)state;
    start(2, true);
    struct lq_session *one = open_session(), *other = open_session(), *third = open_session();
    post(other, 1);
    sem_wait(&rig.taken);
    post(one, 1);
    sem_wait(&rig.taken);
    post(one, 2);
    post(third, 1);
    go_on(); // whichever worker was let go takes one's second
    struct lq_session *first = rig.taken_by[2];
    assert_ptr_equal(first, one);
    assert_false(rig.exclusive[2]);
    // Pressed only if it was its own first that had just ended.
    assert_int_equal(rig.contended[2], one->flight[0]->state != LQ_SLOT_WORKING);
    lq_session_close(one);
    lq_session_close(other);
    lq_session_close(third);
    stop();
}

static void sessions_take_turns(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    start(1, true);
    struct lq_session *blocker = open_session(), *sessions[COUNT];
    post(blocker, 1);
    sem_wait(&rig.taken);
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = open_session();
        post(sessions[i], 1);
        post(sessions[i], 2);
    }
    // One frame of each, then the second of each: after COUNT more frames all have one answered.
    for (int i = 0; i < COUNT; i++) {
        sem_post(&rig.go);
        sem_wait(&rig.taken);
    }
    sem_post(&rig.go);
    sem_wait(&rig.taken);
    lq_workers_collect(rig.workers);
    for (int i = 0; i < COUNT; i++)
        assert_non_null(lq_session_reply(sessions[i]));
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(next_reply(sessions[i]), 1);
        assert_int_equal(next_reply(sessions[i]), 2);
        lq_session_close(sessions[i]);
    }
    lq_session_close(blocker);
    stop();
}

// Whether each session appears at most once among those whose frames were taken from `from` on.
static bool each_at_most_once(int from, int to)
{
    for (int i = from; i < to; i++)
        for (int j = from; j < i; j++)
            if (rig.taken_by[i] == rig.taken_by[j])
                return false;
    return true;
}

// However greedy some are: while a frame of one session waits, each other has its turn once at
// most.
static void none_waits_twice_while_another_runs_twice(void **state)
{
    (void)state;
    enum { COUNT = 6, TURNS = 240 };
    start(1, true);
    struct lq_session *blocker = open_session(), *sessions[COUNT];
    int waits_from[COUNT];
    post(blocker, 1);
    sem_wait(&rig.taken);
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = open_session();
        post(sessions[i], 1);
        waits_from[i] = rig.taken_count;
    }
    for (int turn = 0; turn < TURNS; turn++) {
        // The even ones send far more than their turn, the odd ones one frame after each reply.
        for (int i = 0; i < COUNT; i += 2)
            for (int extra = 0; extra < 5; extra++)
                post(sessions[i], 1);
        sem_post(&rig.go);
        sem_wait(&rig.taken);
        lq_workers_collect(rig.workers);
        int last = rig.taken_count - 1;
        for (int i = 0; i < COUNT; i++) {
            if (rig.taken_by[last] == sessions[i]) {
                assert_true(each_at_most_once(waits_from[i], last));
                waits_from[i] = rig.taken_count;
            }
            for (; lq_session_reply(sessions[i]); lq_session_release(sessions[i]))
                if (i % 2) {
                    post(sessions[i], 1);
                    waits_from[i] = rig.taken_count;
                }
        }
    }
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    for (int i = 0; i < COUNT; i++)
        lq_session_close(sessions[i]);
    lq_session_close(blocker);
    stop();
}

static void tells_what_is_under_way(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *first = open_session(), *second = open_session();
    assert_int_equal(lq_workers_state(rig.workers).oldest_us, 0);
    post(first, 1);
    sem_wait(&rig.taken);
    uint64_t before_us = lq_clock_us();
    post(second, 1);
    post(second, 2);
    post(first, 2);
    struct lq_workers_state now = lq_workers_state(rig.workers);
    assert_int_equal(now.working, 1);
    assert_int_equal(now.waiting, 3);
    assert_in_range(now.oldest_us, before_us, lq_clock_us());
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    for (uint32_t id = 1; id <= 2; id++) {
        assert_int_equal(next_reply(first), id);
        assert_int_equal(next_reply(second), id);
    }
    now = lq_workers_state(rig.workers);
    assert_int_equal(now.waiting + now.working, 0);
    lq_session_close(first);
    lq_session_close(second);
    stop();
}

static void a_session_may_close_at_any_moment(void **state)
{
    (void)state;
    start(2, false);
    uint32_t seed = 5;
    for (int round = 0; round < 2000; round++) {
        struct lq_session *session = open_session();
        uint32_t frames = unit_random(&seed) % 5, answers = unit_random(&seed) % 2;
        for (uint32_t id = 1; id <= frames; id++)
            post(session, id);
        if (frames && answers)
            next_reply(session);
        if (unit_random(&seed) % 2)
            lq_session_fill(session); // half a message has come
        if (unit_random(&seed) % 4 == 0)
            lq_workers_collect(rig.workers);
        lq_session_close(session);
    }
    stop();
}

static void stopping_finishes_what_was_taken(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    post(session, 1);
    sem_wait(&rig.taken);
    post(session, 2);
    atomic_store(&rig.gated, false);
    sem_post(&rig.go);
    lq_workers_stop(rig.workers);
    struct lq_frame_slot *slot = lq_session_reply(session);
    assert_non_null(slot);
    assert_int_equal(slot->request.frame_id, 1);
    lq_session_close(session);
    stop();
}

static void idle_sessions_give_memory_back(void **state)
{
    (void)state;
    static const struct lq_address address = {"v4"};
    start(1, false);
    struct lq_account *account = lq_account_new(SIZE_MAX);
    struct lq_session *session = open_from(1, lq_holder_open(account, &address));
    post(session, 1);
    next_reply(session);
    size_t held = 0;
    for (int i = 0; i < LQ_SLOTS; i++)
        held += session->slots[i].body.cap;
    assert_true(held > 0);
    assert_true(lq_holder_bytes(session->holder) >= held);
    assert_false(lq_session_trim(session, session->used_us + 999, 1000));
    lq_session_fill(session); // not while it is being filled
    assert_ok(lq_buf_append(&session->filling->body, "x", 1));
    assert_false(lq_session_trim(session, session->used_us + 1001, 1000));
    assert_non_null(session->filling->body.data);
    lq_session_release_unused(session);
    const struct lq_frame_slot *filling = session->filling;
    const size_t filled = filling->body.cap + filling->message.cap;
    assert_int_equal(lq_holder_bytes(session->holder), filled);
    assert_true(lq_session_hold(session, 100000)); // charged as it comes
    assert_int_equal(lq_holder_bytes(session->holder), 100001);
    lq_session_drop(session);
    assert_int_equal(lq_holder_bytes(session->holder), filled);
    assert_true(lq_session_trim(session, session->used_us + 1001, 1000));
    assert_int_equal(lq_holder_bytes(session->holder), 0);
    assert_false(lq_session_trim(session, session->used_us + 1001, 1000)); // once a pause
    for (int i = 0; i < LQ_SLOTS; i++)
        assert_null(session->slots[i].body.data);
    post(session, 2);
    assert_int_equal(next_reply(session), 2);
    lq_session_close(session);
    assert_int_equal(lq_account_state(account).held, 0);
    assert_int_equal(lq_account_state(account).holders, 0);
    stop();
    lq_account_free(account);
}

static void an_answer_without_work_keeps_its_turn(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    for (uint32_t id = 1; id <= 3; id++) {
        struct lq_frame_slot *slot = lq_session_fill(session);
        slot->nails = (int)id;
        assert_ok(lq_buf_append(&slot->message, &id, sizeof id));
        lq_session_answer(session);
    }
    assert_int_equal(session->replaced, 1); // two may be in flight
    assert_int_equal(rig.ready, 2);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 2);
    assert_int_equal(atomic_load(&rig.run), 0);
    lq_session_close(session);
    stop();
}

static void an_answer_replaces_what_waits(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    post(session, 1);
    sem_wait(&rig.taken);
    post(session, 2);
    uint32_t id = 3;
    struct lq_frame_slot *slot = lq_session_fill(session);
    slot->nails = (int)id;
    assert_ok(lq_buf_append(&slot->message, &id, sizeof id));
    lq_session_answer(session);
    assert_int_equal(lq_workers_waiting(rig.workers), 0);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 3);
    assert_int_equal(session->replaced, 1);
    assert_int_equal(atomic_load(&rig.run), 1);
    lq_session_close(session);
    stop();
}

static void counts_whose_turn_is_to_come(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *first = open_session(), *second = open_session();
    assert_int_equal(lq_workers_waiting(rig.workers), 0);
    post(first, 1);
    sem_wait(&rig.taken);
    post(first, 2);
    post(second, 1);
    assert_int_equal(lq_workers_waiting(rig.workers), 2);
    lq_session_close(second);
    assert_int_equal(lq_workers_waiting(rig.workers), 1);
    lq_session_close(first);
    assert_int_equal(lq_workers_waiting(rig.workers), 0);
    stop();
}

static int hanging(uint64_t now_us, uint64_t limit_us)
{
    return lq_workers_stalled(rig.workers, now_us, limit_us).count;
}

static void a_worker_that_hangs_is_seen(void **state)
{
    (void)state;
    const uint64_t limit_us = 1000000;
    start(2, true);
    struct lq_session *session = open_session();
    assert_int_equal(hanging(lq_clock_us() + 10 * limit_us, limit_us), 0);
    post(session, 1);
    sem_wait(&rig.taken);
    uint64_t now_us = lq_clock_us();
    assert_int_equal(hanging(now_us, limit_us), 0);
    assert_int_equal(hanging(now_us + 2 * limit_us, limit_us), 1);
    assert_false(lq_workers_stalled(rig.workers, now_us + 2 * limit_us, limit_us).all);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    // Its reply is out before the worker looks for more; then none is at work.
    while (hanging(lq_clock_us() + 2 * limit_us, limit_us) > 0)
        usleep(100);
    lq_session_close(session);
    stop();
}

static void post_still(struct lq_session *session, uint32_t id, enum lq_turn_kind kind,
                       uint64_t pixels)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    slot->turn_kind = kind;
    slot->pixels = pixels;
    post(session, id);
}

static void a_worker_that_gets_on_does_not_hang(void **state)
{
    (void)state;
    const uint64_t limit_us = 1000000;
    start(1, false);
    atomic_store(&rig.steps, 2);
    struct lq_session *session = open_session();
    post_still(session, 1, LQ_TURN_HEAVY, 0);
    sem_wait(&rig.taken);
    uint64_t began_us = lq_clock_us();
    assert_int_equal(hanging(began_us + limit_us + 1000, limit_us), 1);
    usleep(2000);
    go_on(); // to its second step
    assert_int_equal(hanging(began_us + limit_us + 1000, limit_us), 0);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    // Who is live is served all the same.
    assert_false(lq_workers_stalled(rig.workers, lq_clock_us() + 99 * limit_us, limit_us).all);
    // A step of a large picture may take longer.
    post_still(session, 2, LQ_TURN_HEAVY, 4 * LQ_STALL_PIXELS);
    sem_wait(&rig.taken);
    began_us = lq_clock_us();
    assert_int_equal(hanging(began_us + 4 * limit_us, limit_us), 0);
    assert_int_equal(hanging(began_us + 5 * limit_us + 1, limit_us), 1);
    go_on();
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 2);
    lq_session_close(session);
    stop();
}

static void a_heavy_still_leaves_the_only_worker_to_live_frames(void **state)
{
    (void)state;
    enum { FRAMES = 20 };
    start(1, false);
    atomic_store(&rig.steps, 1);
    struct lq_session *still = open_from(1, NULL), *stream = open_from(2, NULL);
    post_still(still, 9, LQ_TURN_HEAVY, 0);
    sem_wait(&rig.taken);
    for (uint32_t id = 1; id <= FRAMES; id++) {
        post(stream, id);
        assert_int_equal(next_reply(stream), id); // amid a step of the still
        assert_null(lq_session_reply(still));
    }
    sem_post(&rig.go);
    assert_int_equal(next_reply(still), 9);
    lq_session_close(still);
    lq_session_close(stream);
    stop();
}

// A live frame that is alone keeps all cores in every step; a still leaves some to who is live.
static void only_stills_yield_to_live_frames(void **state)
{
    (void)state;
    start(1, true);
    lq_workers_set_live(rig.workers, true);
    struct lq_session *still = open_from(1, NULL), *stream = open_from(2, NULL);
    post(stream, 1);
    sem_wait(&rig.taken);
    assert_true(rig.exclusive[0] && !rig.yields[0]);
    sem_post(&rig.go);
    assert_int_equal(next_reply(stream), 1);
    post_still(still, 2, LQ_TURN_LIGHT, 0);
    sem_wait(&rig.taken);
    assert_true(rig.yields[1]);
    sem_post(&rig.go);
    assert_int_equal(next_reply(still), 2);
    lq_session_close(still);
    lq_session_close(stream);
    stop();
}

static void a_still_that_turns_out_heavy_waits_again(void **state)
{
    (void)state;
    start(2, false);
    atomic_store(&rig.refuse_light, true);
    atomic_store(&rig.steps, 1);
    struct lq_session *first = open_from(1, NULL), *second = open_from(2, NULL);
    post_still(first, 1, LQ_TURN_LIGHT, 0);
    sem_wait(&rig.taken); // as a heavy one
    post_still(second, 2, LQ_TURN_LIGHT, 0);
    while (atomic_load(&rig.run) < 3) // the other worker looked at it …
        usleep(100);
    usleep(5000);
    assert_int_equal(atomic_load(&rig.run), 3); // … and is left for live frames
    go_on();
    assert_int_equal(next_reply(first), 1);
    sem_post(&rig.go);
    assert_int_equal(next_reply(second), 2);
    assert_int_equal(atomic_load(&rig.run), 4);
    lq_session_close(first);
    lq_session_close(second);
    // One that is closed meanwhile is forgotten.
    first = open_from(1, NULL);
    post_still(first, 3, LQ_TURN_LIGHT, 0);
    lq_session_close(first);
    stop();
}

static int task_refuses(void *context, bool heavy, void **worker, struct lq_error *err)
{
    if (atomic_load(&((struct rig *)context)->open) == 2)
        return lq_fail(err, LQ_ERR_MODEL, "no");
    return task_open(context, heavy, worker, err);
}

static void a_worker_that_cannot_open_fails_the_start(void **state)
{
    (void)state;
    struct lq_error error;
    memset(&rig, 0, sizeof rig);
    sem_init(&rig.wakes, 0, 0);
    const struct lq_work work = {task_refuses, task_run, task_close, &rig};
    assert_int_equal(lq_workers_start(&rig.workers, &work, 4, on_wake, &rig, &error), LQ_ERR_MODEL);
    assert_int_equal(atomic_load(&rig.open), 0);
    lq_workers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_order),
        cmocka_unit_test(two_posted_before_a_worker_wakes_are_both_kept),
        cmocka_unit_test(the_newest_frame_wins),
        cmocka_unit_test(replies_that_are_not_taken_stop_the_work),
        cmocka_unit_test(while_others_wait_a_newer_frame_overtakes_an_old_one),
        cmocka_unit_test(tells_whether_others_wait),
        cmocka_unit_test(a_second_frame_of_a_session_is_not_pressed),
        cmocka_unit_test(sessions_take_turns),
        cmocka_unit_test(none_waits_twice_while_another_runs_twice),
        cmocka_unit_test(tells_what_is_under_way),
        cmocka_unit_test(a_session_may_close_at_any_moment),
        cmocka_unit_test(stopping_finishes_what_was_taken),
        cmocka_unit_test(idle_sessions_give_memory_back),
        cmocka_unit_test(an_answer_without_work_keeps_its_turn),
        cmocka_unit_test(an_answer_replaces_what_waits),
        cmocka_unit_test(counts_whose_turn_is_to_come),
        cmocka_unit_test(a_worker_that_hangs_is_seen),
        cmocka_unit_test(a_worker_that_gets_on_does_not_hang),
        cmocka_unit_test(a_heavy_still_leaves_the_only_worker_to_live_frames),
        cmocka_unit_test(only_stills_yield_to_live_frames),
        cmocka_unit_test(a_still_that_turns_out_heavy_waits_again),
        cmocka_unit_test(a_worker_that_cannot_open_fails_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
