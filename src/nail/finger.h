// Classifies which finger a nail is on, from the arrangement of a hand's nails.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The probability a finger needs to be named, and the one that keeps an earlier name.
#define LQ_FINGER_CONFIDENCE 0.85f
#define LQ_FINGER_CONFIDENCE_KNOWN 0.55f
// A hand's nails are at most this many nail sizes from the nearest other nail.
#define LQ_FINGER_REACH 12.0f

// Groups nails into hands (at most five each, nearest first) and sets finger_share and finger; call
// it after lq_tip_estimate. Only hands with four or five visible nails are classified, left or
// right, from either side: with fewer nails, index and little finger are confused too often.
void lq_finger_classify(struct lq_nails *nails);

struct lq_hand_match;

// Whether four or five nails of this match clearly lie in the reverse order of fingers (little
// finger for thumb). Landmarks sometimes mistake one side of the hand for the other.
bool lq_finger_order_is_reversed(const struct lq_nails *nails, const struct lq_hand_match *match);

// Sets finger from finger_share: the most likely one if its share is at least share_min, else
// unknown.
void lq_finger_choose(struct lq_nail *nail, float share_min);
