// Checks whether there is skin beside a nail: a detection without it is a key, a stone or a label.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The share, 0..1, of a ring around nail `index` that may be skin of any tone in any usual light.
// Other nails are excluded; returns 1 if the picture shows too little of the ring.
float lq_skin_beside(const struct lq_image *picture, const struct lq_nails *nails, int index);

// Drops nails that have no skin beside them, unless their confidence is very high: in a grey
// picture, or in light without colour, skin cannot be told from other things.
void lq_skin_drop_bare(const struct lq_image *picture, struct lq_nails *nails);
