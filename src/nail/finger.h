// Which finger a nail is on, from how the nails of a hand lie to each other.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The probability that a finger must have to be named, and that one named before must keep.
#define LQ_FINGER_CONFIDENCE 0.85f
#define LQ_FINGER_CONFIDENCE_KNOWN 0.55f

// Groups nails to hands (at most five each, nearest first) and fills finger_share and finger, after
// lq_tip_estimate. Hands with four or five visible nails are classified; any may be left or right,
// seen from either side. With fewer an index and a little finger are confused too often.
void lq_finger_classify(struct lq_nails *nails);

struct lq_hand_match;

// Whether four or five nails of this match clearly lie in the order of the opposite fingers (little
// finger for thumb): landmarks sometimes take a hand from the wrong side.
bool lq_finger_order_is_reversed(const struct lq_nails *nails, const struct lq_hand_match *match);

// Sets finger from finger_share: the likeliest, if its share is at least share_min; else unknown.
void lq_finger_choose(struct lq_nail *nail, float share_min);
