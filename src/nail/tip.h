// Estimates which end of a nail is its tip, from the picture around it.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// Confidence (the length of tip_x, tip_y) from which a tip counts as known: from one picture, from
// many frames, and to remain known.
#define LQ_TIP_CONFIDENCE 0.7f
#define LQ_TIP_CONFIDENCE_LASTING 0.5f
#define LQ_TIP_CONFIDENCE_KNOWN 0.35f

// Sets tip_x and tip_y of all nails: the mean of the four directions in which the tip may lie (both
// ways along the axis and across it), weighted by probability. The evidence: along the finger, skin
// continues and differs from what lies beside it; beyond the tip is the same as beside it; the free
// edge is paler than the nail's body; neighbouring nails point the same way. Then turns each nail
// towards its tip.
void lq_tip_estimate(const struct lq_image *picture, struct lq_nails *nails);

// Turns the axis towards tip_x, tip_y, exchanging length and width where the tip lies across (a
// nail seen from its end is broader than long), if the confidence is at least confidence_min, and
// sets tip_known.
void lq_tip_face(struct lq_nail *nail, float confidence_min);

// Orients nails of unknown tip like the others of their hand, if at least two of those are known
// and fewer are unknown (features of a whole hand, such as longer nails, need all of its tips).
// tip_x and tip_y keep their estimates.
void lq_tip_agree(struct lq_nails *nails);
