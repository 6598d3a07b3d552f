// Which finger a nail is on, from how the nails of a hand lie to each other.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The share that a finger must have to be told, and one told before to stay so.
#define LQ_FINGER_SURE 0.85f
#define LQ_FINGER_STILL_SURE 0.55f

// Groups nails to hands (at most five each, nearest first) and fills finger_share and finger, after
// lq_tip_estimate. Hands of which four or five nails are seen are told; any may be left or right,
// seen from either side. Fewer do not tell an index from a little finger often enough.
void lq_finger_classify(struct lq_nails *nails);

// Sets finger from finger_share: the likeliest, if its share is at least `sure`; else unknown.
void lq_finger_choose(struct lq_nail *nail, float sure);
