#include "base/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/unit.h"

static struct lq_error err;

static int add_one(void *data, struct lq_error *said)
{
    (void)said;
    for (int i = 0; i < 100000; i++) // more than a pipe holds
        ((int *)data)[i]++;
    return LQ_OK;
}

static void the_childs_memory_is_copied_back(void **state)
{
    (void)state;
    static int numbers[100000];
    numbers[7] = 41;
    assert_ok(lq_child_run(add_one, numbers, sizeof numbers, 10000, &err));
    assert_int_equal(numbers[7], 42);
    assert_int_equal(numbers[99999], 1);
}

static int refuse(void *data, struct lq_error *said)
{
    (void)data;
    return lq_fail(said, LQ_ERR_FORMAT, "it is no such thing");
}

static void its_error_is_reported(void **state)
{
    (void)state;
    assert_int_equal(lq_child_run(refuse, NULL, 0, 10000, &err), LQ_ERR_FORMAT);
    assert_string_equal(err.text, "it is no such thing");
    assert_int_equal(lq_child_run(refuse, NULL, 0, 10000, NULL), LQ_ERR_FORMAT);
}

static int end_by(void *data, struct lq_error *said)
{
    (void)said;
    signal(*(int *)data, SIG_DFL); // a sanitizer has handlers of its own
    raise(*(int *)data);
    return LQ_OK;
}

static void a_signal_ends_the_child_alone(void **state)
{
    (void)state;
    static const struct {
        int signal;
        const char *name;
    } ends[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGILL, "SIGILL"},
                {SIGKILL, "SIGKILL"}, {SIGFPE, "SIGFPE"}};
    for (size_t i = 0; i < LQ_COUNT(ends); i++) {
        int number = ends[i].signal;
        assert_int_equal(lq_child_run(end_by, &number, sizeof number, 10000, &err),
                         LQ_ERR_ENGINE);
        assert_non_null(strstr(err.text, ends[i].name));
    }
}

static int leave(void *data, struct lq_error *said)
{
    (void)data, (void)said;
    _exit(3);
}

static int stay(void *data, struct lq_error *said)
{
    (void)data, (void)said;
    while (pause() == -1) // always, when a signal came
        continue;
    return LQ_OK;
}

static void one_that_leaves_or_stays(void **state)
{
    (void)state;
    assert_int_equal(lq_child_run(leave, NULL, 0, 10000, &err), LQ_ERR_ENGINE);
    assert_non_null(strstr(err.text, "status 3"));
    uint64_t from_us = lq_clock_us();
    assert_int_equal(lq_child_run(stay, NULL, 0, 1000, &err), LQ_ERR_ENGINE);
    assert_non_null(strstr(err.text, "longer than 1 s"));
    assert_in_range(lq_clock_us() - from_us, 1000000, 9000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_childs_memory_is_copied_back),
        cmocka_unit_test(its_error_is_reported),
        cmocka_unit_test(a_signal_ends_the_child_alone),
        cmocka_unit_test(one_that_leaves_or_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
