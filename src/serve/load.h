// How busy the workers are, measured, and what that means for who is let in.
//
// A frame's expected wait is the number of sessions whose turn comes first, times what a frame
// takes, over the number of workers. Who would wait longer than the limit is told to come back
// later, so that those who are in stay smooth; a frame that has waited too long all the same is
// not worked on any more, because a newer one shows what the user does now.
// Threads: lq_load_count is the workers'; the rest is the loop's.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum {
    LQ_LOAD_WAIT_MS = 60,        // a live session is let in below this wait (--max-wait)
    LQ_LOAD_HTTP_WAIT_MS = 1000, // a single request may wait so long
    LQ_LOAD_STALE_MS = 500,      // a live frame older than this is not worth working on
    LQ_LOAD_AHEAD = 2,           // but a wait of so many frames is never too long: slow models
    LQ_LOAD_RECENT_S = 3,        // a session that sent a frame since is let go on
    LQ_LOAD_RETRY_S = 2,         // what who is refused is told to wait
};

struct lq_load {
    atomic_uint_fast64_t busy_us, frames; // since the start
    uint64_t seen_busy_us, seen_frames;   // at the last tick
    double frame_us;                      // of one frame on one worker, smoothed; 0: not known yet
    int workers;
};

// A worker spent `us` on a frame.
void lq_load_count(struct lq_load *load, uint64_t us);
// About once a second.
void lq_load_tick(struct lq_load *load);
// How long a frame that comes now will wait behind `waiting` others. µs
uint64_t lq_load_wait_us(const struct lq_load *load, int waiting);
// A limit in ms as µs, made longer where single frames take long.
uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms);
// Frames a second that each of `sessions` can have; 0 while that is not known.
double lq_load_share_fps(const struct lq_load *load, int sessions);
