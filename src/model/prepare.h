// How a picture becomes a network's input: which of its sizes, and where in it. Used for frames
// (runner.c) and for the pictures of a calibration (cli/quantize_pictures.c).
// Threads: any, no state.
#pragma once

#include "image/resize.h"
#include "model/head.h"

// The sizes that the network is compiled for: the sidecar's, else the file's own; a file that
// leaves them open gets the usual ones. Returns how many; LQ_MODEL_SIZES_MAX at most.
int lq_prepare_sizes(struct lq_size sizes[LQ_MODEL_SIZES_MAX], const struct lq_sidecar *sidecar,
                     const struct lq_input *input, const struct lq_tensors *tensors);

// How far a size's proportions are from the picture's; 0: the same.
float lq_prepare_distance(const struct lq_size *size, const struct lq_image *picture);

// What RF-DETR's exports expect, whose graphs do not do it: ImageNet's mean and deviation. Nothing
// for other networks, and where the sidecar says something.
void lq_prepare_normalise(struct lq_sidecar *sidecar, const struct lq_tensors *tensors);

// Fills in all but the target's data, tensor size and channels_first, which are read: the picture
// lies all over the tensor, or (letterbox) in its middle with its proportions kept.
void lq_prepare_place(struct lq_resize_target *target, const struct lq_sidecar *sidecar,
                      bool letterbox, const struct lq_image *picture);
