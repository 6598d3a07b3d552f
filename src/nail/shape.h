// A nail's local frame from its coverage. Threads: any. Owner: nothing.
#pragma once

#include "nail/nail.h"

// Fills area, center, axis, length and width from the alpha crop. An ellipse gets its own axes.
void lq_shape_measure(struct lq_nail *nail);

// Fills curvature, with the frame in place.
void lq_shape_bend(struct lq_nail *nail);

// Shrinks the crop to what is covered, with a margin wide enough to see the outline from outside.
void lq_shape_trim(struct lq_nail *nail);
