// How busy the workers are with live frames, measured, and what that means for who is let in.
// Stills are none of its business: cost.h and turns.h.
//
// Everybody's frames take turns, so the mean wait of a frame grows by one frame's time with each
// session that the machine cannot keep up with. A session that starts is let in while the wait
// stays under the limit and all videos together need no more than can be done; when many start at
// once it shows within a second, and the youngest are sent away again until they fit. A frame that
// has waited too long all the same is not worked on any more, because a newer one shows what the
// user does now.
// Threads: lq_load_waited, _worked and _stilled are the workers'; the rest is the loop's.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/pace.h"

enum {
    LQ_LOAD_WAIT_MS = 60,        // the mean wait that a live session may bring about (--max-wait)
    LQ_LOAD_HTTP_WAIT_MS = 1000, // a single request may wait so long
    LQ_LOAD_STALE_MS = 500,      // a live frame that waited longer is not worth working on
    LQ_LOAD_FILM_FPS = 30,       // a session needs no more than this for a video …
    LQ_LOAD_FILMS = 3,           // … nor more than so many such sessions leave each other
    LQ_LOAD_AHEAD = 2,           // but a wait of so many frames is never too long: slow models
    LQ_LOAD_BURST = 10,          // times the limit: a start of many at once is no overload yet
    LQ_LOAD_RECENT_S = 3,        // a session that sent a frame since then is in
    LQ_LOAD_YOUNG_S = 2,         // who came since then is sent away again first,
    LQ_LOAD_OLD_S = 16,          // and who came before that never
    LQ_LOAD_RETRY_S = 2,         // what who is refused is told to wait
};

#define LQ_LOAD_ROOM 0.5         // of the limit: a longer wait lets nobody in, a limit's sends away;
                                 // else one comes in and goes out by turns, and all wait for it
#define LQ_LOAD_LATE 1.2         // of the limit: who waited longer is dropped from a full machine
#define LQ_LOAD_NEED_IN 1.1      // of the work that can be done: videos may need so much with one more,
#define LQ_LOAD_NEED_OUT 1.3     // and if they need so much some must go
#define LQ_LOAD_HALF_BUSY 0.5    // of the work that can be done: from here on newcomers are counted

// A frame that was worked on.
struct lq_load_work {
    uint64_t us;
    bool contended;  // others waited, so that it could be carried (nail/track.h) …
    bool propagated; // … and it was
};

// What the load knows of one session. The session keeps it, the load alone reads it; zero at first.
struct lq_load_guest {
    bool in;              // its last frame was taken …
    uint64_t seen_us;     // … and came then
    uint64_t entered_us;  // when its frames began to come, after a pause
    uint64_t tick;        // the second of which …
    int frames;           // … these are its frames
};

// Sessions that are in, of a session's address and of the address that has most.
struct lq_load_share {
    int own, most;
};

struct lq_load {
    int workers, limit_ms;                       // set before use
    atomic_uint_fast64_t stilled_us;             // since the start: worked on stills
    atomic_uint_fast64_t busy_us, frames;        // … and on live frames …
    atomic_uint_fast64_t propagated_us, propagated, contended; // … and of these
    atomic_uint_fast64_t waited_us, taken;       // … taken by a worker
    uint64_t seen_busy_us, seen_frames, seen_waited_us, seen_taken; // at the last tick
    uint64_t seen_carried_us, seen_propagated, seen_contended;
    double frame_us;                             // of one frame on one worker; 0: not known yet
    double contended_us;                         // … if as many as can be are carried
    double wait_us;                              // mean since the last tick but one
    int to_shed;                                 // sessions too many
    uint64_t shed_age_us;                        // how old they may be
    bool settling;                               // some were told to go a moment ago
    uint64_t tick_count, ticked_us;              // seconds since the start; when the last one ended
    uint64_t came;                               // frames that were posted in this second …
    uint64_t needed;                             // … without those beyond a video's rate …
    int came_from;                               // … and by how many sessions
    int let_in;                                  // sessions, in this second
    int sessions;                                // of the last: how many sent something,
    double demand, need;                         // … work that came, or was needed, over what can
                                                 // be done
    double fps;                                  // what clients that keep pace may send; 0: at will
};

// A worker took a frame that had waited for `us`; it worked on one.
void lq_load_waited(struct lq_load *load, uint64_t us);
void lq_load_worked(struct lq_load *load, const struct lq_load_work *work);
// … or on a still, which live frames do not wait for (turns.h).
void lq_load_stilled(struct lq_load *load, uint64_t us);
// What all workers worked since the start.
uint64_t lq_load_busy_us(const struct lq_load *load);
// A frame of this session is posted: counts it.
void lq_load_came(struct lq_load *load, struct lq_load_guest *guest);
// A live session wants to post a frame, with `waiting` others whose turn comes first. Counts it if
// it is taken: the session is in and may stay, or may come in. Whose address has fewer in than
// another comes in even so, for that one's frames wait then (turns.h), and is not among those who
// go first.
bool lq_load_takes(struct lq_load *load, struct lq_load_guest *guest,
                   const struct lq_load_share *share, uint64_t now_us, int waiting);
// Whether it is in and sent something of late.
bool lq_load_is_in(const struct lq_load_guest *guest, uint64_t now_us);
// Once a second.
void lq_load_tick(struct lq_load *load, uint64_t now_us);
// How long a frame that comes now will wait behind `waiting` others. µs
uint64_t lq_load_expected_us(const struct lq_load *load, int waiting);
// How long a live frame that comes now may wait, or it is dropped. µs
uint64_t lq_load_stale_us(const struct lq_load *load);
// A limit in ms as µs, made longer where single frames take long.
uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms);
