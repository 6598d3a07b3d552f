#include "net/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    EVENTS_MAX = 256,  // handled in one turn
    PASSES_MAX = 8,    // over jobs that jobs add, before descriptors are polled again
};

struct lq_loop {
    int epoll_fd;
    struct lq_watch wake;         // an eventfd
    atomic_bool woken;            // it was written to and has not been read yet
    void (*on_wake)(void *context);
    void *wake_context;
    uint64_t now_us;
    struct lq_timer **heap;       // earliest first: heap[i] is not later than its two children
    size_t timers, room;
    struct lq_loop_job *jobs, **last_job;
    struct lq_garbage *garbage;
};

// ---- timers: a binary heap ---------------------------------------------------------------------

static void put(struct lq_loop *loop, size_t place, struct lq_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place + 1;
}

static void sift(struct lq_loop *loop, size_t place, struct lq_timer *timer)
{
    while (place > 0 && loop->heap[(place - 1) / 2]->at_us > timer->at_us) {
        put(loop, place, loop->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (size_t below = 2 * place + 1; below < loop->timers; below = 2 * place + 1) {
        if (below + 1 < loop->timers && loop->heap[below + 1]->at_us < loop->heap[below]->at_us)
            below++;
        if (loop->heap[below]->at_us >= timer->at_us)
            break;
        put(loop, place, loop->heap[below]);
        place = below;
    }
    put(loop, place, timer);
}

bool lq_timer_set(struct lq_loop *loop, struct lq_timer *timer, uint64_t at_us)
{
    if (!timer->place && loop->timers == loop->room) {
        size_t room = loop->room ? 2 * loop->room : 64;
        struct lq_timer **heap = realloc(loop->heap, room * sizeof(struct lq_timer *));
        if (!heap)
            return false;
        loop->heap = heap;
        loop->room = room;
    }
    timer->at_us = at_us;
    sift(loop, timer->place ? timer->place - 1 : loop->timers++, timer);
    return true;
}

void lq_timer_stop(struct lq_loop *loop, struct lq_timer *timer)
{
    if (!timer->place)
        return;
    size_t place = timer->place - 1;
    struct lq_timer *moved = loop->heap[--loop->timers];
    timer->place = 0;
    if (moved != timer)
        sift(loop, place, moved);
}

static void run_timers(struct lq_loop *loop)
{
    while (loop->timers && loop->heap[0]->at_us <= loop->now_us) {
        struct lq_timer *timer = loop->heap[0];
        lq_timer_stop(loop, timer);
        timer->due(timer, loop->now_us);
    }
}

// ---- jobs and garbage --------------------------------------------------------------------------

void lq_loop_job_add(struct lq_loop *loop, struct lq_loop_job *job)
{
    if (job->link)
        return;
    job->next = NULL;
    job->link = loop->last_job;
    *loop->last_job = job;
    loop->last_job = &job->next;
}

static void unlink_job(struct lq_loop *loop, struct lq_loop_job *job)
{
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    else
        loop->last_job = job->link;
    job->link = NULL;
}

void lq_loop_job_stop(struct lq_loop *loop, struct lq_loop_job *job)
{
    if (job->link)
        unlink_job(loop, job);
}

// A job that is added while jobs run waits for the next pass.
static void run_jobs(struct lq_loop *loop)
{
    struct lq_loop_job mark = {.run = NULL};
    for (int pass = 0; pass < PASSES_MAX && loop->jobs; pass++) {
        lq_loop_job_add(loop, &mark);
        while (loop->jobs != &mark) {
            struct lq_loop_job *job = loop->jobs;
            unlink_job(loop, job);
            job->run(job);
        }
        unlink_job(loop, &mark);
    }
}

void lq_loop_free_later(struct lq_loop *loop, struct lq_garbage *garbage)
{
    garbage->next = loop->garbage;
    loop->garbage = garbage;
}

static void collect(struct lq_loop *loop)
{
    while (loop->garbage) {
        struct lq_garbage *garbage = loop->garbage;
        loop->garbage = garbage->next;
        garbage->release(garbage);
    }
}

// ---- wake-ups from other threads ---------------------------------------------------------------

static void on_woken(struct lq_watch *watch, uint32_t events)
{
    struct lq_loop *loop = (struct lq_loop *)((char *)watch - offsetof(struct lq_loop, wake));
    uint64_t count;
    (void)events;
    (void)!read(watch->fd, &count, sizeof count);
    // Clear the flag before calling: whatever another thread does from now on causes another
    // wake-up.
    atomic_store(&loop->woken, false);
    if (loop->on_wake)
        loop->on_wake(loop->wake_context);
}

void lq_loop_set_wake(struct lq_loop *loop, void (*on_wake)(void *context), void *context)
{
    loop->on_wake = on_wake;
    loop->wake_context = context;
}

void lq_loop_wake(struct lq_loop *loop)
{
    const uint64_t one = 1;
    if (!atomic_exchange(&loop->woken, true))
        (void)!write(loop->wake.fd, &one, sizeof one);
}

// ---- watches and turns -------------------------------------------------------------------------

int lq_watch_start(struct lq_loop *loop, struct lq_watch *watch, uint32_t events,
                   struct lq_error *err)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.ptr = watch};
    watch->stopped = false;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0)
        return LQ_OK;
    watch->stopped = true;
    return lq_fail(err, errno == ENOMEM || errno == ENOSPC ? LQ_ERR_MEMORY : LQ_ERR_IO,
                   "cannot watch a descriptor: %s", strerror(errno));
}

void lq_watch_stop(struct lq_loop *loop, struct lq_watch *watch)
{
    if (!watch->stopped)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->stopped = true;
}

uint64_t lq_loop_now_us(const struct lq_loop *loop)
{
    return loop->now_us;
}

// How long to wait: until the next timer at most, rounded up so that it is due then.
static int wait_of(const struct lq_loop *loop, int wait_ms)
{
    if (loop->jobs)
        return 0;
    if (!loop->timers)
        return wait_ms;
    uint64_t now_us = lq_clock_us(), at_us = loop->heap[0]->at_us;
    uint64_t left_ms = at_us > now_us ? (at_us - now_us + 999) / 1000 : 0;
    return wait_ms >= 0 && (uint64_t)wait_ms < left_ms ? wait_ms
           : left_ms > INT32_MAX                       ? INT32_MAX
                                                       : (int)left_ms;
}

int lq_loop_turn(struct lq_loop *loop, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, wait_of(loop, wait_ms));
    if (count < 0 && errno != EINTR)
        return LQ_ERR_IO;
    loop->now_us = lq_clock_us();
    for (int i = 0; i < count; i++) {
        struct lq_watch *watch = events[i].data.ptr;
        if (!watch->stopped)
            watch->ready(watch, events[i].events);
    }
    run_timers(loop);
    run_jobs(loop);
    collect(loop);
    return LQ_OK;
}

int lq_loop_new(struct lq_loop **out, struct lq_error *err)
{
    struct lq_loop *loop = calloc(1, sizeof *loop);
    *out = NULL;
    if (!loop)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    loop->last_job = &loop->jobs;
    loop->now_us = lq_clock_us();
    loop->wake = (struct lq_watch){.ready = on_woken, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                   .stopped = true};
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int status = loop->epoll_fd < 0 || loop->wake.fd < 0
                     ? lq_fail(err, LQ_ERR_IO, "cannot start the event loop: %s", strerror(errno))
                     : lq_watch_start(loop, &loop->wake, EPOLLIN, err);
    if (status == LQ_OK)
        *out = loop;
    else
        lq_loop_free(loop);
    return status;
}

void lq_loop_free(struct lq_loop *loop)
{
    if (!loop)
        return;
    collect(loop);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    free(loop->heap);
    free(loop);
}
