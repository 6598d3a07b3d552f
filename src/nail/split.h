// Separates nails that touch: splits a mask component that covers several adjacent nails.
// Threads: one owner at a time. Owner: the caller's components; memory is kept between grids.
#pragma once

#include "nail/components.h"

// Splits every component at its necks; call it after lq_components_find on the same grid. The runs
// then carry new labels, and items holds the parts. A neck is a saddle of the distance to the
// outline that is far shallower than the maxima on both of its sides (Vincent and Soille,
// "Watersheds in Digital Spaces", PAMI 1991; basins without a neck between them are merged).
LQ_MUST_CHECK int lq_components_split(struct lq_components *components, const float *data,
                                      int stride);
