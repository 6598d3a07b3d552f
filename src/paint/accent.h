// Decides which finger's polish each nail wears. If the fingers of a hand are not known, its nails
// take them by their order across the hand, so that a look's accents show.
// Threads: any. Owner: the caller supplies all memory.
#pragma once

#include "nail/nail.h"
#include "paint/look.h"

// A nail whose finger is known wears that finger's polish. A hand is a group of nails within reach
// of one another (lq_extend_choose). If no finger of a hand of 2 to 5 nails is known, its nails are
// assigned from the left: two nails are middle and ring finger, three are index to ring, four are
// index to little, five are all fingers, with the thumb at the end that is farther from the rest.
// All other nails get LQ_FINGER_UNKNOWN.
void lq_accent_choose(const struct lq_look *look, const struct lq_nails *nails,
                      enum lq_finger worn[LQ_NAILS_MAX]);
