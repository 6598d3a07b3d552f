#include "serve/sched/rate.h"

#include "unit/unit.h"

// A server that does 100 frames a second, with cameras of 30 that keep to what they are told and
// never have more in flight than is done.
static double told_after(int seconds, int sessions, double fps)
{
    for (int i = 0; i < seconds; i++) {
        double asked = sessions * (fps < 30 ? fps : 30) / 100;
        struct lq_rate_second second = {asked < 1.02 ? asked : 1.02, 100, sessions};
        fps = lq_rate_fps(fps, &second);
    }
    return fps;
}

static void few_users_are_let_be(void **state)
{
    (void)state;
    assert_int_equal(told_after(20, 2, LQ_RATE_FPS_MAX), LQ_RATE_FPS_MAX);
}

static void many_users_share_four_fifths_within_two_seconds(void **state)
{
    (void)state;
    double fps = told_after(2, 6, LQ_RATE_FPS_MAX);
    assert_true(fps > 13 && fps < 13.5);
    assert_true(told_after(10, 6, fps) == fps); // and then it rests
}

static void nobody_is_made_slower_than_a_film(void **state)
{
    (void)state;
    assert_int_equal(told_after(10, 50, LQ_RATE_FPS_MAX), LQ_RATE_FPS_MIN);
}

static void the_rate_comes_back_when_users_leave(void **state)
{
    (void)state;
    assert_true(told_after(6, 2, LQ_RATE_FPS_MIN) >= 30);
}

// Half of the six send little: the three that want more get what is left.
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
    lq_rate_network_report(&network, 80); // neither: the count begins anew
    assert_int_equal(network.level, 2);
    for (int i = 0; i < 10; i++)
        lq_rate_network_report(&network, 20);
    assert_int_equal(network.level, 0);
    for (int i = 0; i < 10; i++)
        lq_rate_network_report(&network, 20);
    assert_int_equal(network.level, 0);
}

static void small_changes_are_not_told(void **state)
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
        cmocka_unit_test(few_users_are_let_be),
        cmocka_unit_test(many_users_share_four_fifths_within_two_seconds),
        cmocka_unit_test(nobody_is_made_slower_than_a_film),
        cmocka_unit_test(the_rate_comes_back_when_users_leave),
        cmocka_unit_test(slow_senders_leave_room),
        cmocka_unit_test(nothing_is_known_at_the_start),
        cmocka_unit_test(a_slow_network_gets_smaller_pictures),
        cmocka_unit_test(and_larger_ones_again_only_after_a_while),
        cmocka_unit_test(small_changes_are_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
