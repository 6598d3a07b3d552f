// Writes the nails that a model finds in some pictures to a memory file, and compares them with
// those of other models.
// Threads: one. Owner: the caller's descriptors and models.
#pragma once

#include "cli/tune_pictures.h"
#include "model/model.h"

// Writes each picture's nails, detected as in a live frame, one bit per pixel, from the start of
// the file.
LQ_MUST_CHECK int lq_tune_masks_write(const struct lq_model *model,
                                      const struct lq_tune_pictures *pictures, int fd,
                                      struct lq_error *err);

enum { LQ_TUNE_REFERENCES_MAX = 2 };

// Masks that a model is compared with.
struct lq_tune_reference {
    int fd;     // a file written by lq_tune_masks_write
    double iou; // result: intersection over union with it; negative if neither has a nail
};

// Compares this model's nails with those of each reference, over all pixels of all pictures. count:
// at most LQ_TUNE_REFERENCES_MAX.
LQ_MUST_CHECK int lq_tune_masks_compare(const struct lq_model *model,
                                        const struct lq_tune_pictures *pictures,
                                        struct lq_tune_reference *references, int count,
                                        struct lq_error *err);
