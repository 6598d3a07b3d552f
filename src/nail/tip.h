// Which end of a nail is its tip, from the picture around it.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// How long tip_x, tip_y must be before a tip counts as known: told by one picture, by many frames,
// and for one known before to stay so.
#define LQ_TIP_SURE 0.7f
#define LQ_TIP_LASTING_SURE 0.5f
#define LQ_TIP_STILL_SURE 0.35f

// Fills tip_x and tip_y of all nails: the mean of the four directions in which a tip may lie (both
// ways along the axis and across it), weighed by how likely each is. Along the finger skin goes on,
// and differs from what lies beside it; beyond the tip is the same as beside the tip; the free edge
// is paler than the nail's body; and neighbours point alike. Then turns each nail to its tip.
void lq_tip_estimate(const struct lq_image *picture, struct lq_nails *nails);

// Turns the axis towards tip_x, tip_y, exchanging length and breadth where the tip lies across (a
// nail seen from its end is broader than long), if that is as sure as asked: tip_known says so.
void lq_tip_face(struct lq_nail *nail, float sure);

// Turns the nails that do not show where their tip is the way that the others of their hand point,
// when at least two do and fewer are without (what is for a whole hand, as longer nails are, needs
// all of its tips). tip_x and tip_y stay what the picture said.
void lq_tip_agree(struct lq_nails *nails);
