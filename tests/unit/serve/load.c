#include "serve/load.h"

#include "unit/unit.h"

// A second in which `frames` took `frame_us` each, after waiting for `wait_us`.
static void second(struct lq_load *load, int frames, uint64_t frame_us, uint64_t wait_us)
{
    for (int i = 0; i < frames; i++) {
        lq_load_waited(load, wait_us);
        lq_load_worked(load, frame_us);
    }
    lq_load_tick(load);
}

static void lets_in_before_anything_is_known(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    lq_load_tick(&load);
    assert_true(lq_load_lets_in(&load, 1000));
    assert_false(lq_load_sheds(&load, 0));
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
    second(&load, 100, 10000, 49000);
    assert_true(lq_load_lets_in(&load, 5));
    assert_false(lq_load_lets_in(&load, 61)); // too many at once, even for a burst
    second(&load, 100, 10000, 51000);
    assert_false(lq_load_lets_in(&load, 0));
    assert_false(lq_load_sheds(&load, 0)); // full, not too full
    lq_load_tick(&load); // a second without frames: there is room again
    assert_true(lq_load_lets_in(&load, 0));
}

static void sheds_as_many_young_sessions_as_are_too_many(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 100, 10000, 85000);
    assert_false(lq_load_sheds(&load, UINT64_C(2100000))); // the youngest first
    assert_true(lq_load_sheds(&load, 500000));
    assert_true(lq_load_sheds(&load, 500000));
    assert_false(lq_load_sheds(&load, 500000));
    second(&load, 100, 10000, 85000); // this second was in part before
    assert_false(lq_load_sheds(&load, 500000));
    second(&load, 100, 10000, 85000); // not enough
    assert_true(lq_load_sheds(&load, UINT64_C(2100000)));
    for (int i = 0; i < 10; i++)
        second(&load, 100, 10000, 85000);
    assert_false(lq_load_sheds(&load, UINT64_C(16100000))); // who was always there stays
}

static void slow_models_may_wait_two_frames(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1, .limit_ms = 60};
    second(&load, 4, 225000, 225000);
    assert_int_equal(lq_load_limit_us(&load, 60), 450000);
    assert_int_equal(lq_load_limit_us(&load, 1000), 1000000);
    assert_true(lq_load_lets_in(&load, 1));
    second(&load, 4, 225000, 450000);
    assert_false(lq_load_lets_in(&load, 1));
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
    lq_load_tick(&load);
    assert_int_equal(lq_load_expected_us(&load, 1), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in_before_anything_is_known),
        cmocka_unit_test(a_wait_is_turns_times_frame_over_workers),
        cmocka_unit_test(lets_in_while_one_more_fits),
        cmocka_unit_test(sheds_as_many_young_sessions_as_are_too_many),
        cmocka_unit_test(slow_models_may_wait_two_frames),
        cmocka_unit_test(follows_a_change_within_seconds_and_keeps_it_when_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
