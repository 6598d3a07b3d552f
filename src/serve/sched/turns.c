#include "serve/sched/turns.h"

#include <stdlib.h>
#include <string.h>

struct ring { // an address's waiting sessions
    struct lq_turn *first, *last;
    struct lq_turn_place *next; // in the queue of addresses
};

struct lq_turn_place {
    struct lq_address address;
    struct lq_turn_place *next;
    int users;             // sessions, and frames in flight
    struct ring live, still;
    int stills_waiting, stills_working;
    uint64_t still_us;     // estimated cost of these
};

// If there are several, one is reserved for live frames.
static int all_but_one(int count)
{
    return count > 1 ? count - 1 : 1;
}

void lq_turns_init(struct lq_turns *turns, int workers, int cores)
{
    *turns = (struct lq_turns){.workers = workers,
                               .stills_max = all_but_one(workers),
                               .heavy_max = all_but_one(workers < cores ? workers : cores)};
}

static struct lq_turn_place *find(const struct lq_turns *turns, const struct lq_address *address)
{
    struct lq_turn_place *place = turns->places;
    while (place && memcmp(&place->address, address, sizeof *address) != 0)
        place = place->next;
    return place;
}

bool lq_turns_enter(struct lq_turns *turns, struct lq_turn *turn, const struct lq_address *address)
{
    struct lq_turn_place *place = find(turns, address);
    if (!place) {
        place = calloc(1, sizeof *place);
        if (!place)
            return false;
        place->address = *address;
        place->next = turns->places;
        turns->places = place;
    }
    place->users++;
    *turn = (struct lq_turn){.place = place};
    return true;
}

static void let_go(struct lq_turns *turns, struct lq_turn_place *place)
{
    if (--place->users > 0)
        return;
    struct lq_turn_place **at = &turns->places;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    free(place);
}

void lq_turns_leave(struct lq_turns *turns, struct lq_turn *turn)
{
    if (!turn->place)
        return;
    lq_turns_unqueue(turns, turn);
    let_go(turns, turn->place);
    turn->place = NULL;
}

static struct lq_turn_line *line_of(struct lq_turns *turns, enum lq_turn_kind kind)
{
    return kind == LQ_TURN_LIVE ? &turns->live : &turns->still;
}

static struct ring *ring_of(struct lq_turn_place *place, bool live)
{
    return live ? &place->live : &place->still;
}

// ---- lines of addresses, each with a ring of sessions -------------------------------------------

static void append_place(struct lq_turn_line *line, struct lq_turn_place *place, bool live)
{
    ring_of(place, live)->next = NULL;
    if (line->last)
        ring_of(line->last, live)->next = place;
    else
        line->first = place;
    line->last = place;
}

static void remove_place(struct lq_turn_line *line, struct lq_turn_place *place, bool live)
{
    struct lq_turn_place *before = NULL;
    for (struct lq_turn_place *each = line->first; each != place; each = ring_of(each, live)->next)
        before = each;
    struct lq_turn_place *after = ring_of(place, live)->next;
    *(before ? &ring_of(before, live)->next : &line->first) = after;
    if (line->last == place)
        line->last = before;
}

static void remove_turn(struct ring *ring, struct lq_turn *turn)
{
    struct lq_turn *before = NULL;
    for (struct lq_turn *each = ring->first; each != turn; each = each->next)
        before = each;
    *(before ? &before->next : &ring->first) = turn->next;
    if (ring->last == turn)
        ring->last = before;
}

void lq_turns_queue(struct lq_turns *turns, struct lq_turn *turn, enum lq_turn_kind kind,
                    uint64_t cost_us)
{
    if (turn->queued)
        return;
    bool live = kind == LQ_TURN_LIVE;
    struct lq_turn_place *place = turn->place;
    struct lq_turn_line *line = line_of(turns, kind);
    struct ring *ring = ring_of(place, live);
    *turn = (struct lq_turn){.place = place, .queued = true, .kind = kind, .cost_us = cost_us};
    if (ring->last)
        ring->last->next = turn;
    else {
        ring->first = turn;
        append_place(line, place, live);
    }
    ring->last = turn;
    line->count++;
    if (!live) {
        place->stills_waiting++;
        place->still_us += cost_us;
    }
}

// Removes it from its ring; its address moves to the end of the queue, or leaves it. Its estimated
// cost is still counted.
static void pull(struct lq_turns *turns, struct lq_turn *turn, bool to_the_end)
{
    bool live = turn->kind == LQ_TURN_LIVE;
    struct lq_turn_line *line = line_of(turns, turn->kind);
    struct ring *ring = ring_of(turn->place, live);
    remove_turn(ring, turn);
    if (to_the_end || !ring->first) {
        remove_place(line, turn->place, live);
        if (ring->first)
            append_place(line, turn->place, live);
    }
    turn->queued = false;
    line->count--;
    if (!live)
        turn->place->stills_waiting--;
}

void lq_turns_unqueue(struct lq_turns *turns, struct lq_turn *turn)
{
    if (!turn->queued)
        return;
    pull(turns, turn, false);
    turn->place->still_us -= turn->cost_us;
}

// ---- whose turn ---------------------------------------------------------------------------------

// How many stills of one address may be in flight.
static int stills_at_once(const struct lq_turns *turns, bool heavy)
{
    return heavy || turns->someone_live ? turns->stills_max : turns->workers;
}

// The address's first still, heavy or light, if one may be processed now.
static struct lq_turn *next_of(const struct lq_turns *turns, const struct lq_turn_place *place,
                               bool heavy)
{
    if (place->stills_working >= stills_at_once(turns, heavy))
        return NULL;
    struct lq_turn *turn = place->still.first;
    while (turn && (turn->kind == LQ_TURN_HEAVY) != heavy)
        turn = turn->next;
    return turn;
}

static struct lq_turn *next_still(const struct lq_turns *turns, bool heavy)
{
    struct lq_turn *turn = NULL;
    if (heavy && turns->heavy_working >= turns->heavy_max)
        return NULL;
    for (struct lq_turn_place *each = turns->still.first; each && !turn; each = each->still.next)
        turn = next_of(turns, each, heavy);
    return turn;
}

static struct lq_turn *next_live(const struct lq_turns *turns)
{
    return turns->live.first ? turns->live.first->live.first : NULL;
}

static struct lq_turn *begin(struct lq_turns *turns, struct lq_turn *turn,
                             struct lq_turn_taken *taken)
{
    struct lq_turn_place *place = turn->place;
    pull(turns, turn, true);
    *taken = (struct lq_turn_taken){place, turn->kind, turn->cost_us};
    place->users++;
    if (turn->kind != LQ_TURN_LIVE)
        place->stills_working++;
    turns->heavy_working += turn->kind == LQ_TURN_HEAVY;
    return turn;
}

struct lq_turn *lq_turns_take(struct lq_turns *turns, bool heavy, struct lq_turn_taken *taken)
{
    struct lq_turn *live = heavy ? NULL : next_live(turns), *still = next_still(turns, heavy);
    bool first = live && (!still || turns->live_in_a_row < LQ_TURNS_LIVE);
    if (!live && !still)
        return NULL;
    if (!heavy)
        turns->live_in_a_row = first && still ? turns->live_in_a_row + 1 : 0;
    return begin(turns, first ? live : still, taken);
}

void lq_turns_done(struct lq_turns *turns, const struct lq_turn_taken *taken)
{
    struct lq_turn_place *place = taken->place;
    if (taken->kind != LQ_TURN_LIVE) {
        place->stills_working--;
        place->still_us -= taken->cost_us;
    }
    turns->heavy_working -= taken->kind == LQ_TURN_HEAVY;
    let_go(turns, place);
}

int lq_turns_stills(const struct lq_turn *turn)
{
    return turn->place->stills_waiting + turn->place->stills_working;
}

uint64_t lq_turns_expected_us(const struct lq_turns *turns, const struct lq_turn *turn,
                              enum lq_turn_kind kind, uint64_t cost_us)
{
    uint64_t own_us = turn->place->still_us, sum_us = own_us;
    for (const struct lq_turn_place *each = turns->places; each; each = each->next)
        if (each != turn->place)
            sum_us += each->still_us < own_us + cost_us ? each->still_us : own_us + cost_us;
    int at_once = kind == LQ_TURN_HEAVY ? turns->heavy_max : stills_at_once(turns, false);
    return sum_us / (uint64_t)at_once;
}

void lq_turns_each(const struct lq_turns *turns, void (*see)(struct lq_turn *turn, void *context),
                   void *context)
{
    for (const struct lq_turn_place *place = turns->places; place; place = place->next) {
        for (struct lq_turn *each = place->live.first; each; each = each->next)
            see(each, context);
        for (struct lq_turn *each = place->still.first; each; each = each->next)
            see(each, context);
    }
}
