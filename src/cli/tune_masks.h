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

enum { LQ_TUNE_REFERENCES_MAX = 2 };

// Masks that a model is compared with.
struct lq_tune_reference {
    int fd;     // a file that lq_tune_masks_write has written
    double iou; // out: intersection over union with them; negative where neither has a nail
};

// Compares this model's nails with those of each reference, over all pixels of all pictures.
// count: at most LQ_TUNE_REFERENCES_MAX.
LQ_MUST_CHECK int lq_tune_masks_compare(const struct lq_model *model,
                                        const struct lq_tune_pictures *pictures,
                                        struct lq_tune_reference *references, int count,
                                        struct lq_error *err);
