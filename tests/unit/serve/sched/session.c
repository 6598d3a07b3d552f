// How a session handles its frames and replies; workers.c tests the order between sessions.
#include "unit/serve/sched/rig.h"

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
    post_taken(other, 9); // the only worker is busy
    post(session, 1);
    post(session, 2);
    assert_int_equal(session->replaced, 0);
    open_gate();
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
    post_taken(session, 1);
    for (uint32_t id = 2; id <= 100; id++)
        post(session, id);
    assert_int_equal(session->replaced, 98);
    open_gate();
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 100);
    assert_false(lq_session_busy(session));
    assert_int_equal(atomic_load(&rig.run), 2);
    lq_session_close(session);
    stop();
}

static void unread_replies_stop_the_work(void **state)
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
    // Two are finished and unread, the newest waits; no other frame was processed.
    assert_int_equal(atomic_load(&rig.run), LQ_IN_FLIGHT_MAX);
    next_reply(session);
    next_reply(session);
    assert_int_equal(next_reply(session), 100);
    lq_session_close(session);
    stop();
}

// Whether a waiting lacquer.v1 frame that arrived `age_us` ago is replaced by a newer one, with or
// without another session's frame waiting.
static int replaced_by_a_newer(uint64_t age_us, bool others, enum lq_reply_form form)
{
    start(1, true);
    struct lq_session *session = open_session(), *other = open_session();
    post_taken(other, 1); // the only worker is busy
    if (others)
        post(other, 2);
    for (uint32_t id = 1; id <= 2; id++) {
        struct lq_frame_slot *slot = lq_session_fill(session);
        slot->request.reply_form = form;
        post(session, id);
        slot->arrived_us -= age_us;
    }
    int replaced = (int)session->replaced;
    open_gate();
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
    assert_int_equal(replaced_by_a_newer(0, true, LQ_REPLY_V1), 0);      // both have just arrived
    assert_int_equal(replaced_by_a_newer(old, false, LQ_REPLY_V1), 0);   // no other session waits
    assert_int_equal(replaced_by_a_newer(old, true, LQ_REPLY_PICTURE), 0); // has no ids
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
            lq_session_fill(session); // half a message has arrived
        if (unit_random(&seed) % 4 == 0)
            lq_workers_collect(rig.workers);
        lq_session_close(session);
    }
    stop();
}

static void idle_sessions_release_memory(void **state)
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
    assert_true(lq_session_hold(session, 100000)); // charged as it arrives
    assert_int_equal(lq_holder_bytes(session->holder), 100001);
    lq_session_drop(session);
    assert_int_equal(lq_holder_bytes(session->holder), filled);
    assert_true(lq_session_trim(session, session->used_us + 1001, 1000));
    assert_int_equal(lq_holder_bytes(session->holder), 0);
    assert_false(lq_session_trim(session, session->used_us + 1001, 1000)); // once per pause
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

// A reply that needs no worker, for example to a bad frame.
static void answer(struct lq_session *session, uint32_t id)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    slot->nails = (int)id;
    assert_ok(lq_buf_append(&slot->message, &id, sizeof id));
    lq_session_answer(session);
}

static void a_reply_without_work_keeps_its_turn(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    for (uint32_t id = 1; id <= 3; id++)
        answer(session, id);
    assert_int_equal(session->replaced, 1); // two may be in flight
    assert_int_equal(rig.ready, 2);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 2);
    assert_int_equal(atomic_load(&rig.run), 0);
    lq_session_close(session);
    stop();
}

static void a_reply_replaces_a_waiting_frame(void **state)
{
    (void)state;
    start(1, true);
    struct lq_session *session = open_session();
    post_taken(session, 1);
    post(session, 2);
    answer(session, 3);
    assert_int_equal(lq_workers_waiting(rig.workers), 0);
    sem_post(&rig.go);
    assert_int_equal(next_reply(session), 1);
    assert_int_equal(next_reply(session), 3);
    assert_int_equal(session->replaced, 1);
    assert_int_equal(atomic_load(&rig.run), 1);
    lq_session_close(session);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_order),
        cmocka_unit_test(two_posted_before_a_worker_wakes_are_both_kept),
        cmocka_unit_test(the_newest_frame_wins),
        cmocka_unit_test(unread_replies_stop_the_work),
        cmocka_unit_test(while_others_wait_a_newer_frame_overtakes_an_old_one),
        cmocka_unit_test(a_session_may_close_at_any_moment),
        cmocka_unit_test(idle_sessions_release_memory),
        cmocka_unit_test(a_reply_without_work_keeps_its_turn),
        cmocka_unit_test(a_reply_replaces_a_waiting_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
