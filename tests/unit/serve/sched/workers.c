// The order in which workers take frames, and the workers' state; session.c tests the sessions.
#include "unit/serve/sched/rig.h"

#include "base/clock.h"

static void reports_whether_others_wait(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *one = open_session(), *other = open_session();
    post_taken(one, 1);
    assert_true(rig.exclusive[0] && !rig.contended[0]);
    post(one, 2);
    post(other, 1);
    go_on(); // takes the second of `one`, while that of `other` waits
    assert_true(rig.taken_by[1] == one && !rig.exclusive[1] && rig.contended[1]);
    go_on();
    assert_true(rig.taken_by[2] == other && rig.exclusive[2] && !rig.contended[2]);
    lq_session_close(one);
    lq_session_close(other);
    stop();
}

static void a_second_frame_of_a_session_is_not_contended(void **state)
{
    (void)state;
    start(2, true);
    struct lq_session *one = open_session(), *other = open_session(), *third = open_session();
    post_taken(other, 1);
    post_taken(one, 1);
    post(one, 2);
    post(third, 1);
    go_on(); // whichever worker continues takes the second frame of `one`
    struct lq_session *first = rig.taken_by[2];
    assert_ptr_equal(first, one);
    assert_false(rig.exclusive[2]);
    // Contended only if the frame that just ended was its own first one.
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
    post_taken(blocker, 1);
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = open_session();
        post(sessions[i], 1);
        post(sessions[i], 2);
    }
    // One frame of each, then the second of each: after COUNT more frames each has a reply.
    for (int i = 0; i < COUNT; i++) {
        sem_post(&rig.go);
        sem_wait(&rig.taken);
    }
    sem_post(&rig.go);
    sem_wait(&rig.taken);
    lq_workers_collect(rig.workers);
    for (int i = 0; i < COUNT; i++)
        assert_non_null(lq_session_reply(sessions[i]));
    open_gate();
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(next_reply(sessions[i]), 1);
        assert_int_equal(next_reply(sessions[i]), 2);
        lq_session_close(sessions[i]);
    }
    lq_session_close(blocker);
    stop();
}

// Whether each session appears at most once among the frames taken from `from` on.
static bool each_at_most_once(int from, int to)
{
    for (int i = from; i < to; i++)
        for (int j = from; j < i; j++)
            if (rig.taken_by[i] == rig.taken_by[j])
                return false;
    return true;
}

// However many frames some send: while a frame of one session waits, at most one of each other
// session is taken.
static void none_waits_twice_while_another_runs_twice(void **state)
{
    (void)state;
    enum { COUNT = 6, TURNS = 240 };
    start(1, true);
    struct lq_session *blocker = open_session(), *sessions[COUNT];
    int waits_from[COUNT];
    post_taken(blocker, 1);
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = open_session();
        post(sessions[i], 1);
        waits_from[i] = rig.taken_count;
    }
    for (int turn = 0; turn < TURNS; turn++) {
        // The even ones send far more than their share, the odd ones one frame after each reply.
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
    open_gate();
    for (int i = 0; i < COUNT; i++)
        lq_session_close(sessions[i]);
    lq_session_close(blocker);
    stop();
}

static void reports_what_is_in_flight(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *first = open_session(), *second = open_session();
    assert_int_equal(lq_workers_state(rig.workers).oldest_us, 0);
    post_taken(first, 1);
    uint64_t before_us = lq_clock_us();
    post(second, 1);
    post(second, 2);
    post(first, 2);
    struct lq_workers_state now = lq_workers_state(rig.workers);
    assert_int_equal(now.working, 1);
    assert_int_equal(now.waiting, 3);
    assert_in_range(now.oldest_us, before_us, lq_clock_us());
    open_gate();
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

static void stopping_finishes_frames_in_flight(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    post_taken(session, 1);
    post(session, 2);
    open_gate();
    lq_workers_stop(rig.workers);
    struct lq_frame_slot *slot = lq_session_reply(session);
    assert_non_null(slot);
    assert_int_equal(slot->request.frame_id, 1);
    lq_session_close(session);
    stop();
}

static void counts_waiting_frames(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *first = open_session(), *second = open_session();
    assert_int_equal(lq_workers_waiting(rig.workers), 0);
    post_taken(first, 1);
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

static void a_worker_that_hangs_is_reported(void **state)
{
    (void)state;
    const uint64_t limit_us = 1000000;
    start(2, true);
    struct lq_session *session = open_session();
    assert_int_equal(hanging(lq_clock_us() + 10 * limit_us, limit_us), 0);
    post_taken(session, 1);
    uint64_t now_us = lq_clock_us();
    assert_int_equal(hanging(now_us, limit_us), 0);
    assert_int_equal(hanging(now_us + 2 * limit_us, limit_us), 1);
    assert_false(lq_workers_stalled(rig.workers, now_us + 2 * limit_us, limit_us).all);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    // Its reply is sent before the worker looks for more work; then no worker is busy.
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

static void a_worker_that_progresses_does_not_hang(void **state)
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
    // Live frames are served nevertheless.
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
        assert_int_equal(next_reply(stream), id); // in the middle of a step of the still
        assert_null(lq_session_reply(still));
    }
    sem_post(&rig.go);
    assert_int_equal(next_reply(still), 9);
    lq_session_close(still);
    lq_session_close(stream);
    stop();
}

// An exclusive live frame uses all cores in every step; a still leaves some to live frames.
static void only_stills_yield_to_live_frames(void **state)
{
    (void)state;
    start(1, true);
    lq_workers_set_live(rig.workers, true);
    struct lq_session *still = open_from(1, NULL), *stream = open_from(2, NULL);
    post_taken(stream, 1);
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
    sem_wait(&rig.taken); // now as a heavy one
    post_still(second, 2, LQ_TURN_LIGHT, 0);
    while (atomic_load(&rig.run) < 3) // the other worker examined it …
        usleep(100);
    usleep(5000);
    assert_int_equal(atomic_load(&rig.run), 3); // … and stays free for live frames
    go_on();
    assert_int_equal(next_reply(first), 1);
    sem_post(&rig.go);
    assert_int_equal(next_reply(second), 2);
    assert_int_equal(atomic_load(&rig.run), 4);
    lq_session_close(first);
    lq_session_close(second);
    // A frame whose session is closed in the meantime is dropped.
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
        cmocka_unit_test(reports_whether_others_wait),
        cmocka_unit_test(a_second_frame_of_a_session_is_not_contended),
        cmocka_unit_test(sessions_take_turns),
        cmocka_unit_test(none_waits_twice_while_another_runs_twice),
        cmocka_unit_test(reports_what_is_in_flight),
        cmocka_unit_test(stopping_finishes_frames_in_flight),
        cmocka_unit_test(counts_waiting_frames),
        cmocka_unit_test(a_worker_that_hangs_is_reported),
        cmocka_unit_test(a_worker_that_progresses_does_not_hang),
        cmocka_unit_test(a_heavy_still_leaves_the_only_worker_to_live_frames),
        cmocka_unit_test(only_stills_yield_to_live_frames),
        cmocka_unit_test(a_still_that_turns_out_heavy_waits_again),
        cmocka_unit_test(a_worker_that_cannot_open_fails_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
