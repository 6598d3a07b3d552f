// Deciding from tensors' shapes what a model is; the sidecar has the last word where shapes leave
// a choice. Threads: any, no state.
#pragma once

#include "model/sidecar.h"

struct lq_input {
    bool channels_first;
    int width, height; // 0: open
};

// What input 0 is. Fails with MODEL when no picture can be put in.
LQ_MUST_CHECK int lq_input_decide(struct lq_input *input, const struct lq_tensors *tensors,
                                  const struct lq_sidecar *sidecar, struct lq_error *err);

// What the outputs are, from a request's tensors (every dimension known). Fails with MODEL and a
// list of what was found.
LQ_MUST_CHECK int lq_head_decide(enum lq_head *head, struct lq_layout *layout,
                                 const struct lq_tensors *tensors, const struct lq_input *input,
                                 const struct lq_sidecar *sidecar, struct lq_error *err);

// Two outputs of rank 3 and 4, whatever their sizes: YOLOv8-seg by its looks.
bool lq_looks_like_yolo(const struct lq_tensors *tensors);
