// The event loop: file descriptors (epoll, edge-triggered), timers, and a wake-up from other
// threads.
//
// One turn: wait; call every watch whose descriptor is ready; run due timers; `on_wake` if somebody
// woke the loop; run the jobs that all of these put off; free what was marked.
// Nothing is freed inside its own callback: lq_loop_free_later is how an object goes.
//
// Threads: one thread runs the loop and calls everything here; lq_loop_wake alone may come from
// any.
// Owner: new/free. Watches, timers and jobs lie inside their owners' structs, who stop them before
// they go.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lq_loop;

// A descriptor. `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP …; called once for each change.
struct lq_watch {
    void (*ready)(struct lq_watch *watch, uint32_t events);
    int fd;          // the owner's, who closes it after lq_watch_stop
    bool stopped;    // not called any more, also for what this turn found already
};

struct lq_timer {
    void (*due)(struct lq_timer *timer, uint64_t now_us);
    uint64_t at_us;
    size_t place;    // in the loop's heap + 1; 0: not set
};

// Something to do at the end of this turn, once however often it is asked for.
struct lq_loop_job {
    void (*run)(struct lq_loop_job *job);
    struct lq_loop_job *next, **link; // link NULL: not asked for
};

// First member of what lq_loop_free_later frees.
struct lq_garbage {
    struct lq_garbage *next;
    void (*release)(struct lq_garbage *garbage); // frees it
};

LQ_MUST_CHECK int lq_loop_new(struct lq_loop **loop, struct lq_error *err);
// Also frees what is marked. NULL is fine.
void lq_loop_free(struct lq_loop *loop);

// Called on the loop's thread some time after lq_loop_wake; many wakes may become one call.
void lq_loop_set_wake(struct lq_loop *loop, void (*on_wake)(void *context), void *context);
// Any thread; one system call, none when one is on its way already.
void lq_loop_wake(struct lq_loop *loop);

// One turn, waiting at most `wait_ms` (-1: until something happens). IO: epoll failed.
LQ_MUST_CHECK int lq_loop_turn(struct lq_loop *loop, int wait_ms);

// The time at which this turn began, of lq_clock_us.
uint64_t lq_loop_now_us(const struct lq_loop *loop);

// fd, ready: set before. MEMORY or IO when the system does not take it.
LQ_MUST_CHECK int lq_watch_start(struct lq_loop *loop, struct lq_watch *watch, uint32_t events,
                                 struct lq_error *err);
void lq_watch_stop(struct lq_loop *loop, struct lq_watch *watch);

// Sets or moves it. False: no memory for one more timer.
bool lq_timer_set(struct lq_loop *loop, struct lq_timer *timer, uint64_t at_us);
void lq_timer_stop(struct lq_loop *loop, struct lq_timer *timer);

void lq_loop_job_add(struct lq_loop *loop, struct lq_loop_job *job);
void lq_loop_job_stop(struct lq_loop *loop, struct lq_loop_job *job);

// Frees it when all callbacks of this turn have returned.
void lq_loop_free_later(struct lq_loop *loop, struct lq_garbage *garbage);
