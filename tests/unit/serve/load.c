#include "serve/load.h"

#include "unit/unit.h"

static struct lq_load busy(int workers, int frames, uint64_t frame_us)
{
    struct lq_load load = {.workers = workers};
    for (int i = 0; i < frames; i++)
        lq_load_count(&load, frame_us);
    lq_load_tick(&load);
    return load;
}

static void knows_nothing_at_first(void **state)
{
    (void)state;
    struct lq_load load = {.workers = 1};
    lq_load_tick(&load);
    assert_int_equal(lq_load_wait_us(&load, 1000), 0);
    assert_int_equal(lq_load_limit_us(&load, 60), 60000);
    assert_true(lq_load_share_fps(&load, 3) == 0);
}

static void a_wait_is_turns_times_frame_over_workers(void **state)
{
    (void)state;
    struct lq_load load = busy(2, 50, 8000);
    assert_int_equal(lq_load_wait_us(&load, 10), 40000);
    assert_int_equal(lq_load_wait_us(&load, 0), 0);
    assert_true(lq_load_share_fps(&load, 5) == 50);
}

static void slow_models_may_wait_two_frames(void **state)
{
    (void)state;
    struct lq_load load = busy(1, 3, 225000);
    assert_int_equal(lq_load_limit_us(&load, 60), 450000);
    assert_int_equal(lq_load_limit_us(&load, 1000), 1000000);
}

static void follows_a_change_within_seconds_and_keeps_it_when_idle(void **state)
{
    (void)state;
    struct lq_load load = busy(1, 10, 8000);
    for (int second = 0; second < 4; second++) {
        lq_load_count(&load, 16000);
        lq_load_tick(&load);
    }
    assert_in_range(lq_load_wait_us(&load, 1), 15500, 16000);
    uint64_t before = lq_load_wait_us(&load, 1);
    lq_load_tick(&load);
    assert_int_equal(lq_load_wait_us(&load, 1), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_nothing_at_first),
        cmocka_unit_test(a_wait_is_turns_times_frame_over_workers),
        cmocka_unit_test(slow_models_may_wait_two_frames),
        cmocka_unit_test(follows_a_change_within_seconds_and_keeps_it_when_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
