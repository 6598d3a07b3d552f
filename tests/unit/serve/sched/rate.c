#include "serve/sched/rate.h"

#include "unit/unit.h"

// Simulates a server with a capacity of 100 frames a second and cameras of 30 that obey the rate
// and never have more frames in flight than are processed. Returns the rate after some seconds.
static double rate_after(int seconds, int sessions, double fps)
{
    for (int i = 0; i < seconds; i++) {
        double asked = sessions * (fps < 30 ? fps : 30) / 100;
        struct lq_rate_second second = {asked < 1.02 ? asked : 1.02, 100, sessions};
        fps = lq_rate_fps(fps, &second);
    }
    return fps;
}

static void few_users_are_not_limited(void **state)
{
    (void)state;
    assert_int_equal(rate_after(20, 2, LQ_RATE_FPS_MAX), LQ_RATE_FPS_MAX);
}

static void many_users_share_four_fifths_within_two_seconds(void **state)
{
    (void)state;
    double fps = rate_after(2, 6, LQ_RATE_FPS_MAX);
    assert_true(fps > 13 && fps < 13.5);
    assert_true(rate_after(10, 6, fps) == fps); // and then it is stable
}

static void the_rate_never_falls_below_a_video(void **state)
{
    (void)state;
    assert_int_equal(rate_after(10, 50, LQ_RATE_FPS_MAX), LQ_RATE_FPS_MIN);
}

static void the_rate_comes_back_when_users_leave(void **state)
{
    (void)state;
    assert_true(rate_after(6, 2, LQ_RATE_FPS_MIN) >= 30);
}

// Three of six sessions send little: the other three get the rest.
static void slow_senders_leave_room(void **state)
{
    (void)state;
    double fps = LQ_RATE_FPS_MAX;
    for (int i = 0; i < 30; i++) {
        double rate = 3 * 2 + 3 * (fps < 60 ? fps : 60);
        struct lq_rate_second second = {rate / 100 < 1.02 ? rate / 100 : 1.02, 100, 6};
        fps = lq_rate_fps(fps, &second);
    }
    assert_true(fps > 21 && fps < 28);
}

static void nothing_is_known_at_the_start(void **state)
{
    (void)state;
    assert_true(lq_rate_fps(LQ_RATE_FPS_MAX, &(struct lq_rate_second){0}) == LQ_RATE_FPS_MAX);
    assert_true(lq_rate_fps(30, &(struct lq_rate_second){.demand = 1, .sessions = 4}) == 24);
}

static void a_slow_network_gets_smaller_pictures(void **state)
{
    (void)state;
    struct lq_rate_network network = {0};
    lq_rate_network_report(&network, 80);
    struct lq_rate first = lq_rate_of(60, &network);
    assert_int_equal(first.width, 640);
    assert_string_equal(first.why, "none");
    for (int i = 0; i < 9; i++)
        lq_rate_network_report(&network, 300);
    struct lq_rate slow = lq_rate_of(60, &network);
    assert_true(slow.width < first.width && slow.jpeg < first.jpeg && slow.fps < first.fps);
    assert_string_equal(slow.why, "network");
    assert_true(lq_rate_differs(&first, &slow));
    assert_int_equal(lq_rate_of(LQ_RATE_FPS_MIN, &network).fps, LQ_RATE_FPS_MIN);
}

static void and_larger_ones_again_only_after_a_while(void **state)
{
    (void)state;
    struct lq_rate_network network = {.level = 2};
    for (int i = 0; i < 4; i++)
        lq_rate_network_report(&network, 20);
    lq_rate_network_report(&network, 80); // neither slow nor fine: the count restarts
    assert_int_equal(network.level, 2);
    for (int i = 0; i < 10; i++)
        lq_rate_network_report(&network, 20);
    assert_int_equal(network.level, 0);
    for (int i = 0; i < 10; i++)
        lq_rate_network_report(&network, 20);
    assert_int_equal(network.level, 0);
}

static void small_changes_are_not_reported(void **state)
{
    (void)state;
    struct lq_rate a = {20, 640, 85, "load"}, b = {21, 640, 85, "load"}, c = {17, 640, 85, "load"};
    assert_false(lq_rate_differs(&a, &a));
    assert_false(lq_rate_differs(&a, &b));
    assert_true(lq_rate_differs(&a, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_users_are_not_limited),
        cmocka_unit_test(many_users_share_four_fifths_within_two_seconds),
        cmocka_unit_test(the_rate_never_falls_below_a_video),
        cmocka_unit_test(the_rate_comes_back_when_users_leave),
        cmocka_unit_test(slow_senders_leave_room),
        cmocka_unit_test(nothing_is_known_at_the_start),
        cmocka_unit_test(a_slow_network_gets_smaller_pictures),
        cmocka_unit_test(and_larger_ones_again_only_after_a_while),
        cmocka_unit_test(small_changes_are_not_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
