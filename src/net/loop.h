// The event loop: file descriptors (epoll, edge-triggered), timers, and a wake-up from other
// threads.
//
// One turn: wait; call every watch whose descriptor is ready; run due timers; call `on_wake` if a
// thread woke the loop; run the jobs that were scheduled meanwhile; free what was marked for that.
// Objects are never freed inside their own callbacks: use lq_loop_free_later.
//
// Threads: one thread runs the loop and calls everything here; only lq_loop_wake may be called from
// any thread.
// Owner: new/free. Watches, timers and jobs are embedded in structs whose owners must stop them
// before freeing them.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lq_loop;

// A file descriptor. `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP …; called once per change.
struct lq_watch {
    void (*ready)(struct lq_watch *watch, uint32_t events);
    int fd;          // of the owner, who closes it after lq_watch_stop
    bool stopped;    // not called any more, not even for events of this turn
};

struct lq_timer {
    void (*due)(struct lq_timer *timer, uint64_t now_us);
    uint64_t at_us;
    size_t place;    // index in the loop's heap + 1; 0: not set
};

// A job for the end of this turn; it runs once, however often it was added.
struct lq_loop_job {
    void (*run)(struct lq_loop_job *job);
    struct lq_loop_job *next, **link; // link NULL: not scheduled
};

// First member of an object that lq_loop_free_later frees.
struct lq_garbage {
    struct lq_garbage *next;
    void (*release)(struct lq_garbage *garbage); // frees it
};

LQ_MUST_CHECK int lq_loop_new(struct lq_loop **loop, struct lq_error *err);
// Also frees what is marked. loop may be NULL.
void lq_loop_free(struct lq_loop *loop);

// Sets the function that the loop's thread calls some time after lq_loop_wake; several wakes may
// lead to one call.
void lq_loop_set_wake(struct lq_loop *loop, void (*on_wake)(void *context), void *context);
// Any thread; makes one system call, or none if a wake-up is already pending.
void lq_loop_wake(struct lq_loop *loop);

// Runs one turn, waiting at most `wait_ms` (-1: until something happens). IO: epoll failed.
LQ_MUST_CHECK int lq_loop_turn(struct lq_loop *loop, int wait_ms);

// The lq_clock_us() at which this turn began.
uint64_t lq_loop_now_us(const struct lq_loop *loop);

// Set fd and ready before. MEMORY or IO: the kernel refused.
LQ_MUST_CHECK int lq_watch_start(struct lq_loop *loop, struct lq_watch *watch, uint32_t events,
                                 struct lq_error *err);
void lq_watch_stop(struct lq_loop *loop, struct lq_watch *watch);

// Sets or moves the timer. False: out of memory.
bool lq_timer_set(struct lq_loop *loop, struct lq_timer *timer, uint64_t at_us);
void lq_timer_stop(struct lq_loop *loop, struct lq_timer *timer);

void lq_loop_job_add(struct lq_loop *loop, struct lq_loop_job *job);
void lq_loop_job_stop(struct lq_loop *loop, struct lq_loop_job *job);

// Frees the object when all callbacks of this turn have returned.
void lq_loop_free_later(struct lq_loop *loop, struct lq_garbage *garbage);
