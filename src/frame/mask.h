// Draws all nails of a picture into one grey mask.
// Threads: any. Owner: as for struct lq_image.
#pragma once

#include "image/image.h"
#include "nail/nail.h"

// Clears `mask` (1 channel, 8 bits, same size as the picture) and draws every nail's coverage,
// 0..255. Where crops overlap, the larger coverage is kept.
void lq_mask_draw(struct lq_image *mask, const struct lq_nails *nails);
