// Internals of hand.h: the search for the hand of some nails. hand_search.c chooses crops and runs
// the network on them, hand_match.c matches its landmarks with nails, hand.c handles stills and
// hand_follow.c videos.
// Threads: a search belongs to one thread. Owner: the caller; plain data.
#pragma once

#include "nail/hand.h"

enum {
    LQ_HAND_TURNS = 8,              // rotations to try
    LQ_HAND_SIZES = 3,              // … each in crops of this many sizes
    LQ_HAND_CROPS = LQ_HAND_TURNS * LQ_HAND_SIZES,
    LQ_HAND_BEST = 5,               // candidates to refine
};

#define LQ_HAND_PRESENT 0.3f // below this presence there is no hand

// The hand found by one run of the network.
struct lq_hand_candidate {
    struct lq_hand hand;
    struct lq_hand_match match;
    float score; // how well it matches the nails: 0 .. number of nails
};

// A hand, and what the mirrored picture shows of it.
struct lq_hand_sight {
    struct lq_hand_candidate candidate;
    struct lq_hand mirrored_hand;
    struct lq_hand_match mirrored;
    int agreed;  // number of nails that both show on the same finger
    float score; // of both
};

struct lq_hand_finder {
    struct lq_landmarker *landmarker;
    struct lq_hand_sight sights[LQ_HANDS_MAX]; // the hands of the last still
    int sight_count;
};

// The last bone of a finger (0 thumb .. 4 little).
struct lq_hand_bone {
    struct lq_point nail; // where the middle of its nail is expected
    struct lq_point way;  // unit vector to the fingertip
    float length;         // picture pixels; not below a share of the palm
};

struct lq_hand_bone lq_hand_last_bone(const struct lq_hand *hand, int finger);

// The search for the hand of those nails whose `on` is true.
struct lq_hand_search {
    struct lq_hand_finder *finder;
    const struct lq_nails *nails;
    bool on[LQ_NAILS_MAX];
    int count;              // number of nails that are on
    struct lq_point middle;
    float size, spread;     // a nail's size; distance from `middle` to the farthest nail
    const struct lq_hand_limits *limits; // NULL: none
    struct lq_hand_candidate best[LQ_HAND_BEST]; // best first
    int best_count;
};

// Sets count, middle, size and spread.
void lq_hand_survey(struct lq_hand_search *search);
// If there are more nails than a hand has: takes the two that are farthest apart, and keeps the
// nails nearer to one of them.
void lq_hand_limit_to_one(struct lq_hand_search *search);
// Crop number `index`: all rotations of one size, most likely first, then the next size. False: it
// is nearly the same as an earlier crop.
bool lq_hand_crop_at(const struct lq_hand_search *search, int index, struct lq_hand_crop *crop);
// Runs the network on a crop.
LQ_MUST_CHECK int lq_hand_run(struct lq_hand_search *search, const struct lq_hand_crop *crop,
                              struct lq_hand_candidate *candidate, struct lq_error *err);
// Keeps the candidate if it is among the best.
void lq_hand_add_candidate(struct lq_hand_search *search,
                           const struct lq_hand_candidate *candidate);
// Whether the best candidate is beyond doubt.
bool lq_hand_is_certain(const struct lq_hand_search *search);
// Whether a hand fits its nails badly.
bool lq_hand_is_weak(const struct lq_hand_candidate *candidate);
// Orients the nails along the fingers they match, and sets their fingers, counted from the other
// side of the hand if the nails lie in the opposite order. mirrored: the match in the mirrored
// picture; where it disagrees, a nail is not turned or gets no finger. A hand that fits its nails
// badly names no finger.
void lq_hand_apply(const struct lq_hand_candidate *candidate, const struct lq_hand_match *mirrored,
                   struct lq_nails *nails);
