#include "net/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/unit.h"

enum { TIMERS = 500 };

static struct lq_timer timers[TIMERS];
static uint64_t last_us;
static int fired;

static void on_due(struct lq_timer *timer, uint64_t now_us)
{
    assert_true(timer->at_us <= now_us);
    assert_true(timer->at_us >= last_us);
    last_us = timer->at_us;
    fired++;
}

static void timers_come_in_order(void **state)
{
    struct lq_loop *loop;
    struct lq_error error;
    uint32_t seed = 7;
    (void)state;
    assert_ok(lq_loop_new(&loop, &error));
    uint64_t start_us = lq_clock_us();
    for (int round = 0; round < 3; round++) // set it, then change it twice
        for (int i = 0; i < TIMERS; i++) {
            timers[i].due = on_due;
            assert_true(lq_timer_set(loop, &timers[i], start_us + unit_random(&seed) % 20000));
        }
    for (int i = 0; i < TIMERS; i += 3)
        lq_timer_stop(loop, &timers[i]);
    lq_timer_stop(loop, &timers[0]); // stopping twice is allowed
    int want = TIMERS - (TIMERS + 2) / 3;
    while (fired < want)
        assert_ok(lq_loop_turn(loop, -1));
    assert_ok(lq_loop_turn(loop, 20));
    assert_int_equal(fired, want);
    lq_loop_free(loop);
}

static int woken;

static void on_wake(void *context)
{
    (void)context;
    woken++;
}

static void *wake_often(void *loop)
{
    for (int i = 0; i < 1000; i++)
        lq_loop_wake(loop);
    return NULL;
}

static void other_threads_wake_it(void **state)
{
    struct lq_loop *loop;
    struct lq_error error;
    pthread_t thread;
    (void)state;
    assert_ok(lq_loop_new(&loop, &error));
    lq_loop_set_wake(loop, on_wake, NULL);
    assert_ok(lq_loop_turn(loop, 0));
    assert_int_equal(woken, 0);
    assert_int_equal(pthread_create(&thread, NULL, wake_often, loop), 0);
    assert_ok(lq_loop_turn(loop, 1000));
    pthread_join(thread, NULL);
    lq_loop_wake(loop);
    assert_ok(lq_loop_turn(loop, 1000));
    assert_true(woken >= 1);
    int before = woken;
    assert_ok(lq_loop_turn(loop, 0));
    assert_int_equal(woken, before);
    lq_loop_wake(loop); // a wake-up is not lost after others
    assert_ok(lq_loop_turn(loop, 1000));
    assert_int_equal(woken, before + 1);
    lq_loop_free(loop);
}

struct thing {
    struct lq_garbage garbage;
    struct lq_loop_job job;
    struct lq_loop *loop;
    int runs, left;
    bool *freed;
};

static void release(struct lq_garbage *garbage)
{
    *((struct thing *)garbage)->freed = true;
    free(garbage);
}

static void on_job(struct lq_loop_job *job)
{
    struct thing *thing = (struct thing *)((char *)job - offsetof(struct thing, job));
    thing->runs++;
    if (--thing->left > 0)
        lq_loop_job_add(thing->loop, job);
    else
        lq_loop_free_later(thing->loop, &thing->garbage);
    assert_false(*thing->freed); // not inside its own callback
}

static void jobs_run_again_and_free_themselves(void **state)
{
    struct lq_loop *loop;
    struct lq_error error;
    bool freed = false, other_freed = false;
    struct thing *thing = calloc(1, sizeof *thing), *other = calloc(1, sizeof *other);
    (void)state;
    assert_ok(lq_loop_new(&loop, &error));
    *thing = (struct thing){{NULL, release}, {.run = on_job}, loop, 0, 20, &freed};
    *other = (struct thing){{NULL, release}, {.run = on_job}, loop, 0, 1, &other_freed};
    lq_loop_job_add(loop, &thing->job);
    lq_loop_job_add(loop, &thing->job); // once
    lq_loop_job_add(loop, &other->job);
    assert_ok(lq_loop_turn(loop, 0));
    assert_true(other_freed); // a job that adds itself again does not delay the others
    assert_false(freed);
    for (int i = 0; i < 20 && !freed; i++)
        assert_ok(lq_loop_turn(loop, -1)); // does not wait while a job is queued
    assert_true(freed);
    lq_loop_free(loop);
}

static int told;
static struct lq_watch watches[2];
static struct lq_loop *watched;

static void on_ready(struct lq_watch *watch, uint32_t events)
{
    assert_true(events & EPOLLIN);
    lq_watch_stop(watched, watch == &watches[0] ? &watches[1] : &watches[0]);
    told++;
}

static void a_stopped_watch_is_not_called(void **state)
{
    struct lq_error error;
    int pipes[2][2];
    (void)state;
    assert_ok(lq_loop_new(&watched, &error));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        watches[i] = (struct lq_watch){.ready = on_ready, .fd = pipes[i][0]};
        assert_ok(lq_watch_start(watched, &watches[i], EPOLLIN, &error));
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
    }
    assert_ok(lq_loop_turn(watched, 100)); // both are ready; the first one called stops the other
    assert_int_equal(told, 1);
    lq_loop_free(watched);
    for (int i = 0; i < 4; i++)
        close(pipes[i / 2][i % 2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_order), cmocka_unit_test(other_threads_wake_it),
        cmocka_unit_test(jobs_run_again_and_free_themselves),
        cmocka_unit_test(a_stopped_watch_is_not_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
