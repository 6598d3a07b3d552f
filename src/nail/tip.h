// Which end of a nail is its tip, from the picture around it.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The confidence (the length of tip_x, tip_y) from which a tip counts as known: by one picture, by
// many frames, and to stay known.
#define LQ_TIP_CONFIDENCE 0.7f
#define LQ_TIP_CONFIDENCE_LASTING 0.5f
#define LQ_TIP_CONFIDENCE_KNOWN 0.35f

// Fills tip_x and tip_y of all nails: the mean of the four directions in which a tip may lie (both
// ways along the axis and across it), weighed by how likely each is. Along the finger skin goes on,
// and differs from what lies beside it; beyond the tip is the same as beside the tip; the free edge
// is paler than the nail's body; and neighbours point alike. Then turns each nail to its tip.
void lq_tip_estimate(const struct lq_image *picture, struct lq_nails *nails);

// Turns the axis towards tip_x, tip_y, exchanging length and width where the tip lies across (a
// nail seen from its end is broader than long), if the confidence is at least confidence_min, and
// sets tip_known.
void lq_tip_face(struct lq_nail *nail, float confidence_min);

// Orients nails of unknown tip as the others of their hand, if at least two of these are known and
// fewer are unknown (what applies to a whole hand, as longer nails do, needs all of its tips).
// tip_x and tip_y stay as they were estimated.
void lq_tip_agree(struct lq_nails *nails);
