// Whose turn it is: which waiting frame a worker takes next.
//
//   - Each address has its turn, and within an address each of its sessions.
//   - Live frames go before light stills; after LQ_TURNS_LIVE of them in a row a still that waits
//     has one.
//   - Heavy stills (many pixels, several passes) are for threads of their own, of low priority
//     (workers.c): fewer than workers and than cores, but one at least. So no live frame waits for
//     a heavy still, also where there is one worker.
//   - Of one address' stills fewer are in flight at once than there are workers, so that one is
//     left for live frames. While nobody is live light stills have all workers.
//   - What each address has waiting and in flight is known in microseconds of work, as estimated
//     (cost.h), so that one more can be refused before it waits for too long.
//
// Threads: none of its own; the workers' lock guards it. It reads no clock.
// Owner: init/release by who holds the struct; a turn is embedded in its session, which enters and
// leaves; an address lives while a session of its is there.
#pragma once

#include <stddef.h>

#include "serve/guard/address_limits.h"

enum {
    LQ_TURNS_LIVE = 4,            // live frames in a row while a still waits
    LQ_TURNS_LIGHT_PIXELS = 2100000, // a still of more, or of several passes, is heavy: 1920 x 1080
};

enum lq_turn_kind { LQ_TURN_LIVE, LQ_TURN_LIGHT, LQ_TURN_HEAVY, LQ_TURN_KINDS };

struct lq_turn_place; // an address

// A session's place among those that wait. Zero at first.
struct lq_turn {
    struct lq_turn_place *place;
    struct lq_turn *next;
    bool queued;
    enum lq_turn_kind kind;  // of the frame that waits …
    uint64_t cost_us;        // … and what it will cost; a live one: 0
};

// A frame that was taken, to be given back when it is done.
struct lq_turn_taken {
    struct lq_turn_place *place;
    enum lq_turn_kind kind;
    uint64_t cost_us;
};

struct lq_turn_line {
    struct lq_turn_place *first, *last; // addresses that have someone waiting
    int count;                          // sessions that wait
};

struct lq_turns {
    int workers;
    int stills_max;    // of one address, in flight …
    int heavy_max;     // … and heavy ones of all
    bool someone_live; // set by who knows
    struct lq_turn_place *places;
    struct lq_turn_line live, still;
    int live_in_a_row;
    int heavy_working;
};

void lq_turns_init(struct lq_turns *turns, int workers, int cores);
// A session that comes from this address. False: no memory.
bool lq_turns_enter(struct lq_turns *turns, struct lq_turn *turn, const struct lq_address *address);
// It goes; what it has queued is forgotten. Frames that it has in flight stay counted until done.
void lq_turns_leave(struct lq_turns *turns, struct lq_turn *turn);

// The session's next frame waits from now on. Nothing if it waits already.
void lq_turns_queue(struct lq_turns *turns, struct lq_turn *turn, enum lq_turn_kind kind,
                    uint64_t cost_us);
void lq_turns_unqueue(struct lq_turns *turns, struct lq_turn *turn);

// Who is next for a thread that has nothing to do, one for heavy stills or one for all else; NULL
// when nobody may be. *taken goes to lq_turns_done once the frame is finished.
struct lq_turn *lq_turns_take(struct lq_turns *turns, bool heavy, struct lq_turn_taken *taken);
void lq_turns_done(struct lq_turns *turns, const struct lq_turn_taken *taken);

// Stills of this session's address that wait or are worked on.
int lq_turns_stills(const struct lq_turn *turn);
// How long a still of this kind and cost would wait, if it came now: behind its own address'
// stills, and behind as much work of each other address. µs
uint64_t lq_turns_expected_us(const struct lq_turns *turns, const struct lq_turn *turn,
                              enum lq_turn_kind kind, uint64_t cost_us);
// Everyone who waits, in no order of use to anybody.
void lq_turns_each(const struct lq_turns *turns, void (*see)(struct lq_turn *turn, void *context),
                   void *context);
