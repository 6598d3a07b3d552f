// What the network alone says, drawn at the picture's size: each patch's probabilities enlarged by
// bilinear interpolation and cut at its threshold, without the nail stage. This is the mask that
// training measures (train/nailseg/evaluate.py).
// Threads: any. Owner: nothing is kept.
#pragma once

#include "image/image.h"
#include "model/model.h"

// Fills a mask of 1 channel and 8 bits with 0 and 255.
void lq_raw_mask_draw(struct lq_image *mask, const struct lq_patch *patches, int count);
