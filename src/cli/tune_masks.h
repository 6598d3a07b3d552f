// The nails that a model finds in some pictures, as a file in memory, and how far those of another
// agree with them.
// Threads: one. Owner: the caller's descriptors and models.
#pragma once

#include "cli/tune_pictures.h"
#include "model/model.h"

// Writes each picture's nails, found as in a live frame: a bit a pixel, from the file's beginning.
LQ_MUST_CHECK int lq_tune_masks_write(const struct lq_model *model,
                                      const struct lq_tune_pictures *pictures, int fd,
                                      struct lq_error *err);

// Intersection over union of this model's nails with those of either file, over all pixels of all
// pictures. Negative where neither has any.
LQ_MUST_CHECK int lq_tune_masks_compare(const struct lq_model *model,
                                        const struct lq_tune_pictures *pictures, int fd,
                                        int other_fd, double *iou, double *other_iou,
                                        struct lq_error *err);
