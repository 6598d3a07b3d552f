// A nail's local frame from its coverage. Threads: any. Owner: nothing.
#pragma once

#include "nail/nail.h"

// Fills area, center, axis, length and width from the alpha crop. An ellipse gets its own axes.
void lq_shape_measure(struct lq_nail *nail);

// Turns the local frame to the unit vector (x, y): length and width become the extents of the same
// ellipse along and across it.
void lq_shape_turn(struct lq_nail *nail, float x, float y);

// Sets curvature; the nail's local frame must be set.
void lq_shape_bend(struct lq_nail *nail);

// Shrinks the crop to the covered part, with a margin that includes the outline's outside.
void lq_shape_trim(struct lq_nail *nail);
