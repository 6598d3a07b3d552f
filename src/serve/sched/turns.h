// Fair scheduling: which waiting frame a worker takes next.
//
//   - Addresses take turns, and within an address its sessions take turns.
//   - Live frames go before light stills; after LQ_TURNS_LIVE of them in a row, a waiting still is
//     served.
//   - Heavy stills (many pixels, several passes) have threads of their own with low priority
//     (workers.c): fewer than workers and than cores, but at least one. So no live frame waits for
//     a heavy still, even if there is only one worker.
//   - Each address has fewer stills in flight than there are workers, so that one worker is left
//     for live frames. While no session is live, light stills may use all workers.
//   - For each address, the estimated work waiting and in flight is known in microseconds (cost.h),
//     so that another still can be refused before it waits too long.
//
// Threads: none of its own; guarded by the workers' lock. It does not read a clock.
// Owner: init/release by whoever holds the struct. A turn is embedded in its session, which calls
// enter and leave; an address lives while it has a session.
#pragma once

#include <stddef.h>

#include "serve/guard/address_limits.h"

enum {
    LQ_TURNS_LIVE = 4,            // live frames in a row while a still waits
    LQ_TURNS_LIGHT_PIXELS = 2100000, // 1920 x 1080: a larger still, or one with several passes, is
                                     // heavy
};

enum lq_turn_kind { LQ_TURN_LIVE, LQ_TURN_LIGHT, LQ_TURN_HEAVY, LQ_TURN_KINDS };

struct lq_turn_place; // an address

// A session's place in the queue. Zero at first.
struct lq_turn {
    struct lq_turn_place *place;
    struct lq_turn *next;
    bool queued;
    enum lq_turn_kind kind;  // of the waiting frame …
    uint64_t cost_us;        // … and its estimated cost; 0 for a live frame
};

// A frame that was taken; passed to lq_turns_done when finished.
struct lq_turn_taken {
    struct lq_turn_place *place;
    enum lq_turn_kind kind;
    uint64_t cost_us;
};

struct lq_turn_line {
    struct lq_turn_place *first, *last; // addresses with a waiting session
    int count;                          // number of waiting sessions
};

struct lq_turns {
    int workers;
    int stills_max;    // in flight, per address …
    int heavy_max;     // … and heavy ones in total
    bool someone_live; // a session is live; set from outside
    struct lq_turn_place *places;
    struct lq_turn_line live, still;
    int live_in_a_row;
    int heavy_working;
};

void lq_turns_init(struct lq_turns *turns, int workers, int cores);
// Adds a session of this address. False: out of memory.
bool lq_turns_enter(struct lq_turns *turns, struct lq_turn *turn, const struct lq_address *address);
// Removes the session and its queued frame. Its frames in flight count until they are done.
void lq_turns_leave(struct lq_turns *turns, struct lq_turn *turn);

// Queues the session's next frame. Does nothing if one is queued already.
void lq_turns_queue(struct lq_turns *turns, struct lq_turn *turn, enum lq_turn_kind kind,
                    uint64_t cost_us);
void lq_turns_unqueue(struct lq_turns *turns, struct lq_turn *turn);

// The next session for an idle thread, either one for heavy stills or one for everything else; NULL
// if none may be served. Pass *taken to lq_turns_done when the frame is finished.
struct lq_turn *lq_turns_take(struct lq_turns *turns, bool heavy, struct lq_turn_taken *taken);
void lq_turns_done(struct lq_turns *turns, const struct lq_turn_taken *taken);

// Number of stills of this session's address that wait or are being processed.
int lq_turns_stills(const struct lq_turn *turn);
// Expected wait, in µs, of a still of this kind and cost that arrives now: behind its own address'
// stills, and behind as much work of each other address.
uint64_t lq_turns_expected_us(const struct lq_turns *turns, const struct lq_turn *turn,
                              enum lq_turn_kind kind, uint64_t cost_us);
// Calls `see` for every waiting session, in no particular order.
void lq_turns_each(const struct lq_turns *turns, void (*see)(struct lq_turn *turn, void *context),
                   void *context);
