#include "serve/sched/load.h"

#include "unit/unit.h"

static const uint64_t now_us = UINT64_C(1000000000);

// Decides about a frame of this session, without counting it.
static struct lq_load_share share = {1, 1};

static bool takes(struct lq_load *load, struct lq_load_client load_client, int waiting)
{
    uint64_t came = load->arrived, needed = load->needed;
    int arrived_from = load->arrived_from;
    bool taken = lq_load_admit(load, &load_client, &share, now_us, waiting);
    load->arrived = came;
    load->needed = needed;
    load->arrived_from = arrived_from;
    return taken;
}

static bool admits(struct lq_load *load, int waiting)
{
    return takes(load, (struct lq_load_client){0}, waiting);
}

static bool sheds(struct lq_load *load, uint64_t age_us)
{
    return !takes(load, (struct lq_load_client){.in = true, .seen_us = now_us,
                                               .entered_us = now_us - age_us}, 0);
}

// Simulates a second in which `frames` took `frame_us` each, after waiting for `wait_us`.
static void second(struct lq_load *load, int frames, uint64_t frame_us, uint64_t wait_us)
{
    struct lq_load_client seen[8] = {0}; // eight sessions
    for (int i = 0; i < frames; i++)
        lq_load_arrived(load, &seen[i % 8]);
    for (int i = 0; i < frames; i++) {
        lq_load_waited(load, wait_us);
        lq_load_worked(load, &(struct lq_load_work){.us = frame_us});
    }
    lq_load_tick(load, 0);
}

static void admits_before_anything_is_known(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    lq_load_tick(&load, 0);
    assert_true(admits(&load, 1000));
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

static void admits_while_one_more_fits(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 90, 10000, 19000);
    assert_true(admits(&load, 5));
    assert_false(admits(&load, 61)); // too many at once, even for a burst
    second(&load, 100, 10000, 21000);
    assert_false(admits(&load, 0));
    second(&load, 100, 10000, 59000);
    assert_false(admits(&load, 0));
    assert_false(sheds(&load, 0)); // full, but not overloaded
    lq_load_tick(&load, 0); // a second without frames: there is room again
    assert_true(admits(&load, 0));
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
    second(&load, 100, 10000, 85000); // part of this second was before the decision
    assert_false(sheds(&load, 500000));
    second(&load, 100, 10000, 85000); // not enough
    assert_true(sheds(&load, UINT64_C(2100000)));
    for (int i = 0; i < 10; i++)
        second(&load, 100, 10000, 85000);
    assert_false(sheds(&load, UINT64_C(16100000))); // the oldest session stays
}

static void addresses_have_equal_shares(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 2, .limit_ms = 60};
    second(&load, 100, 20000, 120000); // sheds half of ten sessions
    load.to_shed = 1;
    load.shed_age_us = UINT64_C(2000000);
    assert_false(admits(&load, 0));
    share = (struct lq_load_share){0, 2}; // a newcomer, while one address has two
    assert_true(admits(&load, 0));
    share = (struct lq_load_share){1, 2};
    assert_false(admits(&load, 0));
    assert_false(sheds(&load, 0)); // not the newcomer, but one of the two
    share = (struct lq_load_share){2, 2};
    assert_false(admits(&load, 0));
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
    assert_int_equal(sent, 6); // waits of 60 of 300 ms leave room for two of eight
}

static void slow_models_may_wait_two_frames(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 3, 225000, 225000);
    assert_int_equal(lq_load_limit_us(&load, 60), 450000);
    assert_int_equal(lq_load_limit_us(&load, 1000), 1000000);
    assert_true(admits(&load, 1));
    second(&load, 4, 225000, 450000);
    assert_false(admits(&load, 1));
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

static void refused_sessions_do_not_return_all_at_once(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 60, 10000, 5000); // 60 % of the capacity: two more wait 25 ms
    assert_true(admits(&load, 3));
    assert_true(admits(&load, 3));
    assert_false(admits(&load, 3));
    second(&load, 90, 10000, 5000); // eight streams take 90 %: there is capacity for one more
    assert_true(admits(&load, 3));
    assert_false(admits(&load, 3));
    second(&load, 20, 10000, 0); // a burst on a mostly idle machine is not an overload
    for (int i = 0; i < 20; i++)
        assert_true(admits(&load, i));
}

// Simulates a second in which `users` sessions each post `frames`, of which 100 are processed after
// a short wait.
static void crowded(struct lq_load *load, int users, int frames)
{
    struct lq_load_client clients[20] = {0};
    for (int i = 0; i < users * frames; i++)
        lq_load_arrived(load, &clients[i % users]);
    for (int i = 0; i < 100; i++) {
        lq_load_waited(load, 10000);
        lq_load_worked(load, &(struct lq_load_work){.us = 10000});
    }
    lq_load_tick(load, 0);
}

static void streams_beyond_the_capacity_are_too_many(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    crowded(&load, 4, 30); // 20 % over capacity: admitted sessions stay
    assert_false(sheds(&load, 0));
    assert_false(admits(&load, 0));
    crowded(&load, 12, 30); // 3.6 times: four have 27 of their 30 frames
    for (int i = 0; i < 8; i++)
        assert_true(sheds(&load, 0));
    assert_false(sheds(&load, 0));
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 4, 90); // as many as get replies, which is more than a stream needs
    assert_false(sheds(&load, 0));
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 3, 60); // a turn of three sessions is short
    assert_false(sheds(&load, 0));
    assert_false(admits(&load, 0)); // a turn of four would be too long
    load = (struct lq_load){.workers = 1, .limit_ms = 5000}; // told to let all wait
    crowded(&load, 12, 30);
    assert_false(sheds(&load, 0));
    assert_true(admits(&load, 0));
}

static void only_a_full_machine_drops_what_waited_a_little(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    assert_int_equal(lq_load_stale_us(&load), 500000);
    second(&load, 50, 10000, 25000);
    assert_int_equal(lq_load_stale_us(&load), 500000);
    second(&load, 50, 10000, 35000); // no session is admitted any more
    assert_int_equal(lq_load_stale_us(&load), 72000);
    crowded(&load, 4, 30); // the wait is short, but four sessions exceed the capacity
    assert_int_equal(lq_load_stale_us(&load), 72000);
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    second(&load, 4, 225000, 500000); // a slow model: two frames and a fifth
    assert_int_equal(lq_load_stale_us(&load), 540000);
    load = (struct lq_load){.workers = 1, .limit_ms = 60};
    crowded(&load, 1, 120); // no other session waits for one that sends too much
    assert_int_equal(lq_load_stale_us(&load), 500000);
    load = (struct lq_load){.workers = 1, .limit_ms = 5000}; // told to let all wait
    assert_int_equal(lq_load_stale_us(&load), 6000000);
}

static void rates_match_the_load(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    struct lq_load_client seen[5] = {0};
    lq_load_tick(&load, 1000000);
    assert_int_equal((int)load.fps, LQ_RATE_FPS_MAX);
    for (uint64_t s = 2; s < 6; s++) { // capacity: 100 frames a second; five sessions send 100
        for (int i = 0; i < 100; i++) {
            lq_load_arrived(&load, &seen[i % 5]);
            lq_load_waited(&load, 30000);
            lq_load_worked(&load, &(struct lq_load_work){.us = 10000});
        }
        assert_int_equal(load.arrived_from, 5);
        lq_load_tick(&load, s * 1000000);
        assert_int_equal(load.arrived_from, 0);
        assert_in_range((int)load.fps, LQ_RATE_FPS_MIN, 16); // five times 16 is 80 %
    }
}

static void propagated_frames_leave_room_for_more(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    for (int s = 0; s < 8; s++) { // under load all frames that can be propagated are, in 3 ms
                                  // instead of 12
        for (int i = 0; i < 60; i++)
            lq_load_worked(&load, &(struct lq_load_work){.us = i < 30 ? 3000 : 12000,
                                                         .contended = i < 30,
                                                         .propagated = i < 30});
        lq_load_tick(&load, 0);
    }
    assert_in_range((int)lq_load_expected_us(&load, 1), 7400, 7500); // at present
    assert_in_range((int)load.contended_us, 5990, 6010);             // with two of three propagated
    for (int s = 0; s < 8; s++) { // fast hands: half of the attempts fail
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
        cmocka_unit_test(admits_before_anything_is_known),
        cmocka_unit_test(a_wait_is_turns_times_frame_over_workers),
        cmocka_unit_test(admits_while_one_more_fits),
        cmocka_unit_test(sheds_as_many_young_sessions_as_are_too_many),
        cmocka_unit_test(addresses_have_equal_shares),
        cmocka_unit_test(never_sends_everybody_away),
        cmocka_unit_test(slow_models_may_wait_two_frames),
        cmocka_unit_test(refused_sessions_do_not_return_all_at_once),
        cmocka_unit_test(streams_beyond_the_capacity_are_too_many),
        cmocka_unit_test(only_a_full_machine_drops_what_waited_a_little),
        cmocka_unit_test(propagated_frames_leave_room_for_more),
        cmocka_unit_test(rates_match_the_load),
        cmocka_unit_test(follows_a_change_within_seconds_and_keeps_it_when_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
