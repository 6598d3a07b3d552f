// How much memory each client may hold once the common limit is reached.
#include "serve/guard/account.h"

#include <pthread.h>

#include "unit/unit.h"

enum { MAX = 1000 };

static const struct lq_address a = {"v4\0\0\1\2\3"}, b = {"v4\0\0\1\2\4"};

struct client {
    struct lq_holder *holder;
    struct lq_charge charge;
};

static void come(struct client *client, struct lq_account *account, const struct lq_address *from)
{
    client->holder = lq_holder_open(account, from);
    assert_non_null(client->holder);
    lq_charge_begin(&client->charge, client->holder);
}

static void go(struct client *client)
{
    lq_holder_release(client->holder);
    lq_charge_end(&client->charge); // outlives its session
}

static void sums_are_known_at_any_moment(void **state)
{
    (void)state;
    struct lq_account *account = lq_account_new(MAX);
    struct client one, two, other;
    come(&one, account, &a);
    come(&two, account, &a);
    come(&other, account, &b);
    assert_true(lq_charge_grow(&one.charge, 300));
    assert_true(lq_charge_grow(&two.charge, 100));
    lq_charge_set(&other.charge, 200);
    lq_charge_set(&one.charge, 250);
    assert_int_equal(lq_holder_bytes(one.holder), 250);
    assert_int_equal(lq_account_of_address(account, &a), 350);
    assert_int_equal(lq_account_of_address(account, &b), 200);
    struct lq_account_state now = lq_account_state(account);
    assert_int_equal(now.held, 550);
    assert_int_equal(now.high, 600);
    assert_int_equal(now.holders, 3);
    assert_int_equal(now.addresses, 2);
    go(&one);
    go(&two);
    go(&other);
    now = lq_account_state(account);
    assert_int_equal(now.held, 0);
    assert_int_equal(now.high, 600);
    assert_int_equal(now.holders, 0);
    assert_int_equal(now.addresses, 0);
    assert_int_equal(lq_account_of_address(account, &a), 0);
    lq_account_free(account);
}

static void the_address_that_holds_most_is_refused(void **state)
{
    (void)state;
    struct lq_account *account = lq_account_new(MAX);
    struct client flood[9], user;
    for (int i = 0; i < 9; i++)
        come(&flood[i], account, &a);
    come(&user, account, &b);
    for (int i = 0; i < 9; i++)
        assert_true(lq_charge_grow(&flood[i].charge, 110));
    assert_false(lq_charge_grow(&flood[0].charge, 130)); // 1,010 in all
    assert_int_equal(flood[0].charge.bytes, 110);        // nothing was changed
    assert_true(lq_charge_grow(&user.charge, 400));      // its address may hold 500
    assert_false(lq_charge_grow(&user.charge, 501));
    assert_true(lq_account_has_room(account, &b));
    assert_false(lq_account_has_room(account, &a));
    for (int i = 0; i < 9; i++)
        go(&flood[i]);
    go(&user);
    lq_account_free(account);
}

static void within_an_address_small_holders_continue(void **state)
{
    (void)state;
    struct lq_account *account = lq_account_new(MAX);
    struct client greedy, modest;
    come(&greedy, account, &a);
    come(&modest, account, &a);
    assert_true(lq_charge_grow(&greedy.charge, MAX));
    assert_false(lq_charge_grow(&greedy.charge, MAX + 1));
    assert_true(lq_charge_grow(&modest.charge, MAX / 2));
    assert_false(lq_charge_grow(&modest.charge, MAX / 2 + 1));
    go(&greedy);
    assert_true(lq_charge_grow(&modest.charge, MAX / 2 + 1));
    go(&modest);
    lq_account_free(account);
}

static void a_newcomer_is_admitted_while_one_address_holds_all(void **state)
{
    (void)state;
    struct lq_account *account = lq_account_new(MAX);
    struct client flood;
    come(&flood, account, &a);
    lq_charge_set(&flood.charge, 2 * MAX); // memory that is already in use is never rejected
    assert_true(lq_account_has_room(account, &b));
    assert_false(lq_account_has_room(account, &a));
    assert_false(lq_charge_grow(&flood.charge, SIZE_MAX));
    go(&flood);
    assert_true(lq_account_has_room(account, &a));
    lq_account_free(account);
}

static void without_a_holder_nothing_is_counted(void **state)
{
    (void)state;
    struct lq_charge charge;
    lq_charge_begin(&charge, NULL);
    assert_true(lq_charge_grow(&charge, SIZE_MAX));
    lq_charge_set(&charge, 5);
    lq_charge_end(&charge);
    lq_charge_end(&charge);
    lq_holder_release(NULL);
    assert_int_equal(lq_holder_bytes(NULL), 0);
}

static void *change_often(void *context)
{
    struct lq_charge charge;
    lq_charge_begin(&charge, context);
    for (size_t i = 0; i < 20000; i++)
        lq_charge_set(&charge, i % 7);
    lq_charge_end(&charge);
    return NULL;
}

static void many_threads_may_charge(void **state)
{
    (void)state;
    struct lq_account *account = lq_account_new(MAX);
    struct lq_holder *holder = lq_holder_open(account, &a);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_often, holder), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(lq_holder_bytes(holder), 0);
    assert_in_range(lq_account_state(account).high, 6, 24);
    lq_holder_release(holder);
    lq_account_free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_known_at_any_moment),
        cmocka_unit_test(the_address_that_holds_most_is_refused),
        cmocka_unit_test(within_an_address_small_holders_continue),
        cmocka_unit_test(a_newcomer_is_admitted_while_one_address_holds_all),
        cmocka_unit_test(without_a_holder_nothing_is_counted),
        cmocka_unit_test(many_threads_may_charge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
