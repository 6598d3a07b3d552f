// Batches of requests from several threads: each gets its own result, some share a run, a single
// request does not wait, and expired ones are not run.
#include "engine/batcher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/attr.h"
#include "base/clock.h"
#include "unit/unit.h"

enum { THREADS = 6, ROUNDS = 40, MOST = 4 };

static struct lq_error err;
static atomic_int in_run, largest;

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

// Doubles each number, slowly; never two runs at a time.
static int run_doubling(void *context, void *const *items, int count, struct lq_error *why)
{
    (void)context;
    assert_int_equal(atomic_fetch_add(&in_run, 1), 0);
    assert_in_range(count, 1, MOST);
    sleep_us(1000);
    for (int i = 0; i < count; i++)
        *(int *)items[i] *= 2;
    if (count > atomic_load(&largest))
        atomic_store(&largest, count);
    atomic_fetch_sub(&in_run, 1);
    return count > MOST ? lq_fail(why, LQ_ERR_ENGINE, "too many") : LQ_OK;
}

static void *ask_often(void *batcher)
{
    struct lq_error why;
    int wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int number = i + 1;
        wrong += lq_batcher_run(batcher, &number, 0, &why) != LQ_OK || number != 2 * (i + 1);
    }
    return (void *)(intptr_t)wrong;
}

static void threads_share_runs(void **state)
{
    (void)state;
    struct lq_batcher *batcher;
    struct lq_batch_counts counts;
    pthread_t threads[THREADS];
    assert_ok(lq_batcher_new(&batcher, MOST, 20000, run_doubling, NULL, &err));
    for (int i = 0; i < THREADS; i++)
        assert_ok(pthread_create(&threads[i], NULL, ask_often, batcher));
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    lq_batcher_count(batcher, &counts);
    assert_int_equal(counts.items, THREADS * ROUNDS);
    assert_true(counts.runs < counts.items / 2); // two and more at a time
    assert_in_range(atomic_load(&largest), 2, MOST);
    assert_int_equal(counts.late, 0);
    lq_batcher_free(batcher);
}

// After a run of several requests, the next one waits for others once, and then no more.
static void a_single_request_does_not_wait(void **state)
{
    (void)state;
    struct lq_batcher *batcher;
    assert_ok(lq_batcher_new(&batcher, MOST, 200000, run_doubling, NULL, &err));
    uint64_t from_us = lq_clock_us();
    for (int i = 0; i < 5; i++) {
        int number = 3;
        assert_ok(lq_batcher_run(batcher, &number, 0, &err));
        assert_int_equal(number, 6);
    }
    assert_true(lq_clock_us() - from_us < 200000);
    lq_batcher_free(batcher);
}

static void what_is_too_old_is_not_run(void **state)
{
    (void)state;
    struct lq_batcher *batcher;
    struct lq_batch_counts counts;
    int number = 7;
    assert_ok(lq_batcher_new(&batcher, MOST, 1000, run_doubling, NULL, &err));
    assert_int_equal(lq_batcher_run(batcher, &number, lq_clock_us() - 1, &err), LQ_ERR_TIMEOUT);
    assert_int_equal(number, 7);
    assert_ok(lq_batcher_run(batcher, &number, lq_clock_us() + 1000000, &err));
    assert_int_equal(number, 14);
    lq_batcher_count(batcher, &counts);
    assert_int_equal(counts.late, 1);
    assert_int_equal(counts.items, 1);
    lq_batcher_free(batcher);
    lq_batcher_free(NULL);
}

static int run_badly(void *context, void *const *items, int count, struct lq_error *why)
{
    (void)context, (void)items, (void)count;
    return lq_fail(why, LQ_ERR_ENGINE, "no good");
}

static void failures_reach_the_caller(void **state)
{
    (void)state;
    struct lq_batcher *batcher;
    assert_ok(lq_batcher_new(&batcher, MOST, 1000, run_badly, NULL, &err));
    assert_int_equal(lq_batcher_run(batcher, NULL, 0, &err), LQ_ERR_ENGINE);
    assert_string_equal(err.text, "no good");
    lq_batcher_free(batcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_runs),
        cmocka_unit_test(a_single_request_does_not_wait),
        cmocka_unit_test(what_is_too_old_is_not_run),
        cmocka_unit_test(failures_reach_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
