// Draws the network's raw output at the picture's size: each patch's probabilities, enlarged by
// bilinear interpolation and cut at the threshold, without the nail stage. Training measures the
// same mask (train/nailseg/evaluate.py).
// Threads: any. Owner: nothing is kept.
#pragma once

#include "image/image.h"
#include "model/model.h"

// Fills a mask (1 channel, 8 bits) with 0 and 255.
void lq_raw_mask_draw(struct lq_image *mask, const struct lq_patch *patches, int count);
