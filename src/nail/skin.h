// Whether there is skin beside a nail: what has none is a key, a stone or a label.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

// The share, 0..1, of a ring around the index'th nail that may be skin of any tone in any usual
// light. The other nails do not count; 1 where the picture shows too little of the ring.
float lq_skin_beside(const struct lq_image *picture, const struct lq_nails *nails, int index);

// Drops the nails that have no skin beside them and are not very certain all the same: in a grey
// picture, or in light that leaves no colour, skin is not known from other things.
void lq_skin_drop_bare(const struct lq_image *picture, struct lq_nails *nails);
