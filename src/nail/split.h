// Nails that touch, taken apart: one component of a mask that is two or more nails side by side.
// Threads: one owner at a time. Owner: the caller's components; memory is kept between grids.
#pragma once

#include "nail/components.h"

// Divides every component where it has a neck, after lq_components_find on the same grid: its runs
// then carry new labels and items holds the parts. A neck is a saddle of the distance from the
// outline, far less deep than what lies on both of its sides (Vincent and Soille, "Watersheds in
// Digital Spaces", PAMI 1991; basins with no neck between them stay one).
LQ_MUST_CHECK int lq_components_split(struct lq_components *components, const float *data,
                                      int stride);
