// All nails of a picture in one grey mask.
// Threads: any. Owner: as of struct lq_image.
#pragma once

#include "image/image.h"
#include "nail/nail.h"

// Draws coverage 0..255 of every nail into `mask` (1 channel, 8 bits, as large as the picture the
// nails were found in; cleared first). Where crops overlap the larger coverage stays.
void lq_mask_draw(struct lq_image *mask, const struct lq_nails *nails);
