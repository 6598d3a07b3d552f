#include "serve/load.h"

#include "unit/unit.h"

static const uint64_t now_us = UINT64_C(1000000000);

// What became of a frame of this session, without counting it.
static struct lq_load_share share = {1, 1};

static bool takes(struct lq_load *load, struct lq_load_guest guest, int waiting)
{
    uint64_t came = load->came, needed = load->needed;
    int came_from = load->came_from;
    bool taken = lq_load_takes(load, &guest, &share, now_us, waiting);
    load->came = came;
    load->needed = needed;
    load->came_from = came_from;
    return taken;
}

static bool lets_in(struct lq_load *load, int waiting)
{
    return takes(load, (struct lq_load_guest){0}, waiting);
}

static bool sheds(struct lq_load *load, uint64_t age_us)
{
    return !takes(load, (struct lq_load_guest){.in = true, .seen_us = now_us,
                                               .entered_us = now_us - age_us}, 0);
}

// A second in which `frames` took `frame_us` each, after waiting for `wait_us`.
static void second(struct lq_load *load, int frames, uint64_t frame_us, uint64_t wait_us)
{
    struct lq_load_guest seen[8] = {0}; // eight sessions
    for (int i = 0; i < frames; i++)
        lq_load_came(load, &seen[i % 8]);
    for (int i = 0; i < frames; i++) {
        lq_load_waited(load, wait_us);
        lq_load_worked(load, &(struct lq_load_work){.us = frame_us});
    }
    lq_load_tick(load, 0);
}

static void lets_in_before_anything_is_known(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    lq_load_tick(&load, 0);
    assert_true(lets_in(&load, 1000));
    assert_false(sheds(&load, 0));
    assert_int_equal(lq_load_limit_us(&load, 60), 60000);
}

static void a_wait_is_turns_times_frame_over_workers(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 2, .limit_ms = 60};
    second(&load, 50, 8000, 0);
    assert_int_equal(lq_load_expected_us(&load, 10), 40000);
    assert_int_equal(lq_load_expected_us(&load, 0), 0);
}

static void lets_in_while_one_more_fits(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 90, 10000, 19000);
    assert_true(lets_in(&load, 5));
    assert_false(lets_in(&load, 61)); // too many at once, even for a burst
    second(&load, 100, 10000, 21000);
    assert_false(lets_in(&load, 0));
    second(&load, 100, 10000, 59000);
    assert_false(lets_in(&load, 0));
    assert_false(sheds(&load, 0)); // full, not too full
    lq_load_tick(&load, 0); // a second without frames: there is room again
    assert_true(lets_in(&load, 0));
}

static void sheds_as_many_young_sessions_as_are_too_many(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 100, 10000, 85000);
    assert_false(sheds(&load, UINT64_C(2100000))); // the youngest first
    assert_true(sheds(&load, 500000));
    assert_true(sheds(&load, 500000));
    assert_false(sheds(&load, 500000));
    second(&load, 100, 10000, 85000); // this second was in part before
    assert_false(sheds(&load, 500000));
    second(&load, 100, 10000, 85000); // not enough
    assert_true(sheds(&load, UINT64_C(2100000)));
    for (int i = 0; i < 10; i++)
        second(&load, 100, 10000, 85000);
    assert_false(sheds(&load, UINT64_C(16100000))); // who was always there stays
}

static void addresses_have_equal_shares(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 2, .limit_ms = 60};
    second(&load, 100, 20000, 120000); // sheds half of ten sessions
    load.to_shed = 1;
    load.shed_age_us = UINT64_C(2000000);
    assert_false(lets_in(&load, 0));
    share = (struct lq_load_share){0, 2}; // a newcomer, while one address has two
    assert_true(lets_in(&load, 0));
    share = (struct lq_load_share){1, 2};
    assert_false(lets_in(&load, 0));
    assert_false(sheds(&load, 0)); // not it but one of the two
    share = (struct lq_load_share){2, 2};
    assert_false(lets_in(&load, 0));
    assert_true(sheds(&load, 0));
    share = (struct lq_load_share){1, 1};
}

static void never_sends_everybody_away(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 100, 10000, 300000);
    int sent = 0;
    while (sheds(&load, 0))
        sent++;
    assert_int_equal(sent, 6); // two of eight are what 60 of 300 ms leave room for
}

static void slow_models_may_wait_two_frames(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 3, 225000, 225000);
    assert_int_equal(lq_load_limit_us(&load, 60), 450000);
    assert_int_equal(lq_load_limit_us(&load, 1000), 1000000);
    assert_true(lets_in(&load, 1));
    second(&load, 4, 225000, 450000);
    assert_false(lets_in(&load, 1));
}

static void follows_a_change_within_seconds_and_keeps_it_when_idle(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 10, 8000, 0);
    for (int i = 0; i < 4; i++)
        second(&load, 1, 16000, 0);
    assert_in_range(lq_load_expected_us(&load, 1), 15500, 16000);
    uint64_t before = lq_load_expected_us(&load, 1);
    lq_load_tick(&load, 0);
    assert_int_equal(lq_load_expected_us(&load, 1), before);
}

static void who_was_refused_does_not_come_back_all_at_once(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 60, 10000, 5000); // six tenths of what can be done: two more wait 25 ms
    assert_true(lets_in(&load, 3));
    assert_true(lets_in(&load, 3));
    assert_false(lets_in(&load, 3));
    second(&load, 90, 10000, 5000); // eight videos take nine tenths: there is time for one more
    assert_true(lets_in(&load, 3));
    assert_false(lets_in(&load, 3));
    second(&load, 20, 10000, 0); // a burst is no overload where there is little to do
    for (int i = 0; i < 20; i++)
        assert_true(lets_in(&load, i));
}

// A second in which `users` sessions each post `frames` and 100 are done, after a short wait.
static void crowded(struct lq_load *load, int users, int frames)
{
    struct lq_load_guest guests[20] = {0};
    for (int i = 0; i < users * frames; i++)
        lq_load_came(load, &guests[i % users]);
    for (int i = 0; i < 100; i++) {
        lq_load_waited(load, 10000);
        lq_load_worked(load, &(struct lq_load_work){.us = 10000});
    }
    lq_load_tick(load, 0);
}

static void films_that_need_more_than_can_be_done_are_too_many(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    crowded(&load, 4, 30); // a fifth more than can be done: who is in stays
    assert_false(sheds(&load, 0));
    assert_false(lets_in(&load, 0));
    crowded(&load, 12, 30); // 3.6 times: four have 27 of their 30 frames
    for (int i = 0; i < 8; i++)
        assert_true(sheds(&load, 0));
    assert_false(sheds(&load, 0));
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 4, 90); // as many as are answered, which a video does not need
    assert_false(sheds(&load, 0));
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 3, 60); // a turn of three is no wait worth speaking of
    assert_false(sheds(&load, 0));
    assert_false(lets_in(&load, 0)); // of four it would be
    load = (struct lq_load){.workers = 1, .limit_ms = 5000}; // told to let all wait
    crowded(&load, 12, 30);
    assert_false(sheds(&load, 0));
    assert_true(lets_in(&load, 0));
}

static void only_a_full_machine_drops_what_waited_a_little(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    assert_int_equal(lq_load_stale_us(&load), 500000);
    second(&load, 50, 10000, 25000);
    assert_int_equal(lq_load_stale_us(&load), 500000);
    second(&load, 50, 10000, 35000); // nobody is let in any more
    assert_int_equal(lq_load_stale_us(&load), 72000);
    crowded(&load, 4, 30); // the wait is short, but four want more than can be done
    assert_int_equal(lq_load_stale_us(&load), 72000);
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    second(&load, 4, 225000, 500000); // a slow model: two frames and a fifth
    assert_int_equal(lq_load_stale_us(&load), 540000);
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 1, 120); // nobody else waits for one who sends too much
    assert_int_equal(lq_load_stale_us(&load), 500000);
    load = (struct lq_load){.workers = 1, .limit_ms = 5000}; // told to let all wait
    assert_int_equal(lq_load_stale_us(&load), 6000000);
}

static void told_rates_fit_what_comes(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    struct lq_load_guest seen[5] = {0};
    lq_load_tick(&load, 1000000);
    assert_int_equal((int)load.fps, LQ_PACE_FPS_MAX);
    for (uint64_t s = 2; s < 6; s++) { // 100 frames a second can be done, 100 of five sessions come
        for (int i = 0; i < 100; i++) {
            lq_load_came(&load, &seen[i % 5]);
            lq_load_waited(&load, 30000);
            lq_load_worked(&load, &(struct lq_load_work){.us = 10000});
        }
        assert_int_equal(load.came_from, 5);
        lq_load_tick(&load, s * 1000000);
        assert_int_equal(load.came_from, 0);
        assert_in_range((int)load.fps, LQ_PACE_FPS_MIN, 16); // five times 16 are four fifths
    }
}

static void carried_frames_leave_room_for_more(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    for (int s = 0; s < 8; s++) { // some wait: of those that could be carried all are, in 3 ms of 12
        for (int i = 0; i < 60; i++)
            lq_load_worked(&load, &(struct lq_load_work){.us = i < 30 ? 3000 : 12000,
                                                         .contended = i < 30,
                                                         .propagated = i < 30});
        lq_load_tick(&load, 0);
    }
    assert_in_range((int)lq_load_expected_us(&load, 1), 7400, 7500); // as it is
    assert_in_range((int)load.contended_us, 5990, 6010);             // two of three would be
    for (int s = 0; s < 8; s++) { // hands that move too fast: half of the trials fail
        for (int i = 0; i < 60; i++)
            lq_load_worked(&load, &(struct lq_load_work){.us = i < 15 ? 3000 : 12000,
                                                         .contended = i < 30,
                                                         .propagated = i < 15});
        lq_load_tick(&load, 0);
    }
    assert_in_range((int)load.contended_us, 7400, 7600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in_before_anything_is_known),
        cmocka_unit_test(a_wait_is_turns_times_frame_over_workers),
        cmocka_unit_test(lets_in_while_one_more_fits),
        cmocka_unit_test(sheds_as_many_young_sessions_as_are_too_many),
        cmocka_unit_test(addresses_have_equal_shares),
        cmocka_unit_test(never_sends_everybody_away),
        cmocka_unit_test(slow_models_may_wait_two_frames),
        cmocka_unit_test(who_was_refused_does_not_come_back_all_at_once),
        cmocka_unit_test(films_that_need_more_than_can_be_done_are_too_many),
        cmocka_unit_test(only_a_full_machine_drops_what_waited_a_little),
        cmocka_unit_test(carried_frames_leave_room_for_more),
        cmocka_unit_test(told_rates_fit_what_comes),
        cmocka_unit_test(follows_a_change_within_seconds_and_keeps_it_when_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
