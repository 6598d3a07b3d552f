#include "serve/guard/address_limits.h"

#include <string.h>

#include "unit/unit.h"

static struct lq_address from(const char *text)
{
    struct lq_net_address address;
    assert_true(lq_net_address_parse(&address, text));
    return lq_address_of(&address);
}

static bool same(const char *a, const char *b)
{
    struct lq_address x = from(a), y = from(b);
    return memcmp(&x, &y, sizeof x) == 0;
}

static void an_address_is_one_customer(void **state)
{
    (void)state;
    assert_true(same("10.1.2.3", "10.1.2.3"));
    assert_false(same("10.1.2.3", "10.1.2.4"));
    assert_true(same("::ffff:10.1.2.3", "10.1.2.3"));
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
}

static void each_has_its_share(void **state)
{
    (void)state;
    struct lq_address_limits peers;
    struct lq_address a = from("10.0.0.1"), b = from("10.0.0.2");
    assert_true(lq_address_limits_init(&peers, 4, 2));
    assert_true(lq_address_limits_admit(&peers, &a));
    assert_true(lq_address_limits_admit(&peers, &a));
    assert_false(lq_address_limits_admit(&peers, &a));
    assert_true(lq_address_limits_admit(&peers, &b));
    lq_address_limits_leave(&peers, &a);
    assert_true(lq_address_limits_admit(&peers, &a));
    lq_address_limits_leave(&peers, &a);
    lq_address_limits_leave(&peers, &a);
    lq_address_limits_leave(&peers, &b);
    assert_int_equal(peers.count, 0);
    lq_address_limits_release(&peers);
}

static void a_proxy_has_no_share(void **state)
{
    (void)state;
    struct lq_address_limits peers;
    struct lq_address proxy = from("10.0.0.1");
    assert_true(lq_address_limits_init(&peers, 4, 1));
    for (int i = 0; i < 4; i++)
        assert_true(lq_address_limits_admit_any(&peers, &proxy));
    assert_false(lq_address_limits_admit_any(&peers, &proxy)); // at the limit
    for (int i = 0; i < 4; i++)
        lq_address_limits_leave(&peers, &proxy);
    assert_int_equal(peers.count, 0);
    lq_address_limits_release(&peers);
}

static void without_a_limit_the_room_is_the_limit(void **state)
{
    (void)state;
    struct lq_address_limits peers;
    struct lq_address a = from("10.0.0.1"), b = from("10.0.0.2");
    assert_true(lq_address_limits_init(&peers, 100, 0));
    for (int i = 0; i < 100; i++)
        assert_true(lq_address_limits_admit(&peers, &a));
    assert_false(lq_address_limits_admit(&peers, &a));
    assert_false(lq_address_limits_admit(&peers, &b));
    lq_address_limits_leave(&peers, &b); // it has no connection
    lq_address_limits_leave(&peers, &a);
    assert_true(lq_address_limits_admit(&peers, &b));
    lq_address_limits_release(&peers);
}

static void live_sessions_are_counted_by_address(void **state)
{
    (void)state;
    struct lq_address_limits peers;
    struct lq_address a = from("10.0.0.1"), b = from("10.0.0.2");
    assert_true(lq_address_limits_init(&peers, 4, 0));
    assert_true(lq_address_limits_admit(&peers, &a) && lq_address_limits_admit(&peers, &a));
    assert_true(lq_address_limits_admit(&peers, &b));
    lq_address_limits_add_live(&peers, &a);
    lq_address_limits_add_live(&peers, &a);
    lq_address_limits_add_live(&peers, &b);
    assert_int_equal(lq_address_limits_live(&peers, &a), 2);
    assert_int_equal(lq_address_limits_live(&peers, &b), 1);
    assert_int_equal(peers.live_most, 2);
    lq_address_limits_reset_live(&peers);
    assert_int_equal(lq_address_limits_live(&peers, &a) + peers.live_most, 0);
    lq_address_limits_release(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_one_customer),
        cmocka_unit_test(each_has_its_share),
        cmocka_unit_test(a_proxy_has_no_share),
        cmocka_unit_test(live_sessions_are_counted_by_address),
        cmocka_unit_test(without_a_limit_the_room_is_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
