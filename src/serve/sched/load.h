// Measures how busy the workers are with live frames, and decides who is admitted. Stills are
// handled by cost.h and turns.h.
//
// All sessions' frames take turns, so the mean wait of a frame grows by one frame's time with each
// session beyond what the machine can handle. A new session is admitted while the wait stays below
// the limit and all streams together need no more work than can be done. When many sessions start
// at once, this shows within a second, and the youngest are shed until the rest fit. A frame that
// still waited too long is dropped, because a newer one shows what the user is doing now.
// Threads: workers call lq_load_waited, _worked and _worked_still; the loop calls the rest.
// Owner: the server's admission holds the only struct; nothing is allocated.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/sched/rate.h"

enum {
    LQ_LOAD_WAIT_MS = 60,        // limit on the mean wait of live sessions (--max-wait)
    LQ_LOAD_HTTP_WAIT_MS = 1000, // how long a single request may wait
    LQ_LOAD_STALE_MS = 500,      // a live frame that waited longer is dropped
    LQ_LOAD_STREAM_FPS = 30,     // frame rate beyond which a stream needs no more …
    LQ_LOAD_STREAMS = 3,         // … nor more than what this many such sessions leave each other
    LQ_LOAD_AHEAD = 2,           // but a wait of this many frames is always acceptable: slow models
    LQ_LOAD_BURST = 10,          // times the limit: a start of many at once is no overload yet
    LQ_LOAD_RECENT_S = 3,        // a session that sent a frame within this time is active
    LQ_LOAD_YOUNG_S = 2,         // sessions that started within this time are shed first,
    LQ_LOAD_OLD_S = 16,          // and those that started longer ago never
    LQ_LOAD_RETRY_S = 2,         // Retry-After of a refusal
};

#define LQ_LOAD_ROOM 0.5         // of the limit. A wait above this share admits nobody, a wait
                                 // above the limit sheds. Without the gap one session would be
                                 // admitted and shed in turn, and all would wait for it
#define LQ_LOAD_LATE 1.2         // of the limit: a client that waited longer is shed if the machine
                                 // is full
#define LQ_LOAD_NEED_IN 1.1      // of the work that can be done: admit a stream if all then need at
                                 // most this much,
#define LQ_LOAD_NEED_OUT 1.3     // and shed streams if they need this much
#define LQ_LOAD_HALF_BUSY 0.5    // of the work that can be done: above this, new sessions are
                                 // counted

// One processed frame.
struct lq_load_work {
    uint64_t us;
    bool contended; // others waited, so it could be propagated (nail/track.h) …
    bool propagated; // … and it was
};

// What the load knows of one session. Stored in the session, read only here; zero at first.
struct lq_load_client {
    bool in;              // its last frame was accepted …
    uint64_t seen_us;     // … and arrived at this time
    uint64_t entered_us;  // when its frames began to arrive after a pause
    uint64_t tick;        // the second in which …
    int frames;           // … it sent this many frames
};

// The number of active sessions of a session's address, and of the address with the most.
struct lq_load_share {
    int own, most;
};

struct lq_load {
    int workers, limit_ms;                       // set before use
    atomic_uint_fast64_t still_us;               // since the start: time spent on stills
    atomic_uint_fast64_t busy_us, frames;        // … and on live frames …
    atomic_uint_fast64_t propagated_us, propagated, contended; // … and of these
    atomic_uint_fast64_t waited_us, taken;       // … total wait and number of frames taken
    uint64_t seen_busy_us, seen_frames, seen_waited_us, seen_taken; // at the last tick
    uint64_t seen_propagated_us, seen_propagated, seen_contended;
    double frame_us;                             // of one frame on one worker; 0: unknown
    double contended_us;                         // … if as many frames as possible are propagated
    double wait_us;                              // mean over the last one to two seconds
    int to_shed;                                 // number of sessions to shed
    uint64_t shed_age_us;                        // maximum age of sessions to shed
    bool settling;                               // some were shed a moment ago
    uint64_t tick_count, ticked_us;              // seconds since the start; when the last one ended
    uint64_t arrived;                            // frames submitted in this second …
    uint64_t needed;                             // … not counting those beyond a stream's rate …
    int arrived_from;                            // … and the number of sessions that sent them
    int admitted;                                // sessions admitted in this second
    int sessions;                                // sessions that sent something in the last second
    // … work that arrived, or was needed, relative to what can be done
    double demand, need;
    // what clients with rate control may send; 0: no limit
    double fps;
};

// A worker took a frame that had waited for `us`; a worker processed a frame.
void lq_load_waited(struct lq_load *load, uint64_t us);
void lq_load_worked(struct lq_load *load, const struct lq_load_work *work);
// … or a still, for which live frames do not wait (turns.h).
void lq_load_worked_still(struct lq_load *load, uint64_t us);
// The time that all workers have worked since the start.
uint64_t lq_load_busy_us(const struct lq_load *load);
// Counts a frame that this session submitted.
void lq_load_arrived(struct lq_load *load, struct lq_load_client *client);
// Whether a live session may submit a frame when `waiting` others are served before it. Counts the
// frame if it is accepted: the session is active and may stay, or may become active. A session
// whose address has fewer active sessions than another is always admitted, since the other one's
// frames then wait (turns.h), and it is not shed first.
bool lq_load_admit(struct lq_load *load, struct lq_load_client *client,
                   const struct lq_load_share *share, uint64_t now_us, int waiting);
// Whether the session is active and sent something recently.
bool lq_load_is_in(const struct lq_load_client *client, uint64_t now_us);
// Call it once a second.
void lq_load_tick(struct lq_load *load, uint64_t now_us);
// Expected wait, in µs, of a frame that arrives now with `waiting` others before it.
uint64_t lq_load_expected_us(const struct lq_load *load, int waiting);
// Time, in µs, after which a live frame that arrives now is dropped.
uint64_t lq_load_stale_us(const struct lq_load *load);
// Converts a limit from ms to µs, and extends it if single frames take long.
uint64_t lq_load_limit_us(const struct lq_load *load, int limit_ms);
