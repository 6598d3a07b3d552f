// How a picture becomes a network's input: which input size, and where in it. Used for frames
// (runner.c) and for calibration pictures (cli/quantize_pictures.c).
// Threads: any, no state.
#pragma once

#include "image/resize.h"
#include "model/head.h"

// The sizes to compile the network for: those of the sidecar, else those of the file; if the file
// leaves them open, the usual ones. Returns their number, at most LQ_MODEL_SIZES_MAX.
int lq_prepare_sizes(struct lq_size sizes[LQ_MODEL_SIZES_MAX], const struct lq_sidecar *sidecar,
                     const struct lq_input *input, const struct lq_tensors *tensors);

// How far a size's aspect ratio is from the picture's; 0: the same.
float lq_prepare_distance(const struct lq_size *size, const struct lq_image *picture);

// Sets ImageNet's mean and deviation for RF-DETR, whose exported graphs expect input normalised
// that way. Does nothing for other networks, or if the sidecar gives a normalisation.
void lq_prepare_normalise(struct lq_sidecar *sidecar, const struct lq_tensors *tensors);

// Fills in everything but the target's data, tensor size and channels_first, which it reads: the
// picture fills the tensor, or (letterbox) is centred in it with its aspect ratio kept.
void lq_prepare_place(struct lq_resize_target *target, const struct lq_sidecar *sidecar,
                      bool letterbox, const struct lq_image *picture);
