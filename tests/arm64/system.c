// What the server asks of the system: its event loop (epoll, timers) woken from another thread, a
// child that answers, one that ends by a signal and one that takes too long; and what the processor
// is told to be. Prints one "name value" a line: tests/e2e/test_arm64.py builds it for ARM64.
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "net/loop.h"

enum { WAKES = 200, CHILD_MS = 20000, LATE_MS = 300 };

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

// ---- the loop

struct counts {
    struct lq_loop *loop;
    atomic_int sent, seen; // the waker goes on only when the loop has seen the one before
    int timers;
};

static void on_wake(void *context)
{
    struct counts *counts = context;
    atomic_store(&counts->seen, atomic_load(&counts->sent));
}

static void *wake(void *context)
{
    struct counts *counts = context;
    for (int i = 1; i <= WAKES; i++) {
        atomic_store(&counts->sent, i);
        lq_loop_wake(counts->loop);
        while (atomic_load(&counts->seen) < i)
            usleep(50);
    }
    return NULL;
}

static int due_order;

static void due(struct lq_timer *timer, uint64_t now_us)
{
    printf("timer%d %d\n", ++due_order, now_us >= timer->at_us);
}

static void try_loop(void)
{
    struct counts counts = {0};
    struct lq_timer timers[] = {{.due = due}, {.due = due}};
    struct lq_error err;
    pthread_t thread;
    if (lq_loop_new(&counts.loop, &err) != LQ_OK)
        give_up(err.text);
    lq_loop_set_wake(counts.loop, on_wake, &counts);
    for (int i = 0; i < 2; i++)
        if (!lq_timer_set(counts.loop, &timers[i], lq_clock_us() + 30000 - (uint64_t)i * 20000))
            give_up("no timer");
    if (pthread_create(&thread, NULL, wake, &counts) != 0)
        give_up("no thread");
    // A wake-up that is lost ends in the test's own limit of time.
    while (atomic_load(&counts.seen) < WAKES || due_order < 2)
        if (lq_loop_turn(counts.loop, -1) != LQ_OK)
            give_up("the loop failed");
    pthread_join(thread, NULL);
    lq_loop_free(counts.loop);
    printf("wakes %d\n", atomic_load(&counts.seen));
}

// ---- children

static int answer(void *data, struct lq_error *err)
{
    (void)err;
    *(int *)data = 42;
    return LQ_OK;
}

static int crash(void *data, struct lq_error *err)
{
    (void)data, (void)err;
    signal(SIGABRT, SIG_DFL);
    return raise(SIGABRT);
}

static int linger(void *data, struct lq_error *err)
{
    (void)data, (void)err;
    sleep(60);
    return LQ_OK;
}

static void try_children(void)
{
    struct lq_error err = {0};
    int number = 0;
    int status = lq_child_run(answer, &number, sizeof number, CHILD_MS, &err);
    printf("answer %d\n", status == LQ_OK ? number : status);
    printf("crash %d\n", lq_child_run(crash, NULL, 0, CHILD_MS, &err) == LQ_ERR_ENGINE);
    fprintf(stderr, "%s\n", err.text);
    printf("late %d\n", lq_child_run(linger, NULL, 0, LATE_MS, &err) == LQ_ERR_ENGINE);
    fprintf(stderr, "%s\n", err.text);
}

int main(void)
{
    uint32_t words[LQ_CPU_WORDS];
    lq_cpu_identify(words);
    for (int i = 0; i < LQ_CPU_WORDS; i++)
        printf("processor %" PRIu32 "\n", words[i]);
    printf("f16 %d\ncores %d\n", lq_cpu_has_f16(), lq_cpu_count());
    try_loop();
    try_children();
    return 0;
}
