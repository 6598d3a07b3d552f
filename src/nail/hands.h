// The insides of hand.h: a search for the hand of some nails. hand_search.c looks, hand_match.c
// compares, hand.c does stills and hand_follow.c videos.
// Threads: a search belongs to one thread. Owner: the caller; plain data.
#pragma once

#include "nail/hand.h"

enum {
    LQ_HAND_TURNS = 8,              // ways round that are tried
    LQ_HAND_SIZES = 3,              // … in crops of as many sizes
    LQ_HAND_WAYS = LQ_HAND_TURNS * LQ_HAND_SIZES,
    LQ_HAND_BEST = 3,               // of all that was tried, looked at again
    LQ_HANDS_MAX = 3,               // in one picture
};

#define LQ_HAND_PRESENT 0.3f // below it there is no hand

struct lq_hand_finder {
    struct lq_landmarker *landmarker;
};

// One look, and what it is worth.
struct lq_hand_seen {
    struct lq_hand hand;
    struct lq_hand_match match;
    float worth;
};

// The nails that a hand is looked for.
struct lq_hand_search {
    struct lq_hand_finder *finder;
    const struct lq_nails *nails;
    bool on[LQ_NAILS_MAX];
    int count;              // of those that are on
    struct lq_point middle;
    float size, spread;     // of a nail; from their middle to the farthest
    const struct lq_hand_limits *limits; // NULL: none
    struct lq_hand_seen best[LQ_HAND_BEST]; // the best first
    int best_count;
};

// Fills count, middle, size and spread.
void lq_hand_survey(struct lq_hand_search *search);
// Leaves of more nails than a hand has those nearer to one of the two that lie farthest apart.
void lq_hand_take_one_side(struct lq_hand_search *search);
// The way'th crop to try: all turns of a size, the likeliest first, then the next size. False: it
// is as good as one before.
bool lq_hand_way(const struct lq_hand_search *search, int way, struct lq_hand_crop *crop);
LQ_MUST_CHECK int lq_hand_look(struct lq_hand_search *search, const struct lq_hand_crop *crop,
                               struct lq_hand_seen *seen, struct lq_error *err);
void lq_hand_keep(struct lq_hand_search *search, const struct lq_hand_seen *seen);
// Whether the best look leaves no doubt.
bool lq_hand_is_plain(const struct lq_hand_search *search);
// Turns nails to the fingers that they were seen on, and names those. doubts: what a look at the
// mirrored picture saw; where it differs nothing is told.
void lq_hand_apply(const struct lq_hand_match *match, const struct lq_hand_match *doubts,
                   struct lq_nails *nails);
