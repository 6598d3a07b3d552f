// Which finger's polish each nail wears. Where the fingers of a hand are not known, its nails take
// them by their order across the hand, so that a look's accents show.
// Threads: any. Owner: the caller brings all memory.
#pragma once

#include "nail/nail.h"
#include "paint/look.h"

// Of nails whose finger is known, that one. A hand is nails within reach of one another
// (lq_extend_choose); one of 2 to 5 nails with no finger known takes them in order, from the left:
// two nails are middle and ring finger, three index to ring, four index to little, five all, with
// the thumb at the end that stands further off. LQ_FINGER_UNKNOWN for the rest.
void lq_accent_choose(const struct lq_look *look, const struct lq_nails *nails,
                      enum lq_finger worn[LQ_NAILS_MAX]);
