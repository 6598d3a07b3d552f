// Deciding from tensors' shapes what a model is; the sidecar has the last word where shapes leave
// a choice. Threads: any, no state.
#pragma once

#include "model/sidecar.h"

struct lq_input {
    bool channels_first;
    int width, height; // 0: open
    int batch;         // pictures that it takes at once; 1 where that is open
};

// What input 0 is. Fails with MODEL when no picture can be put in.
LQ_MUST_CHECK int lq_input_decide(struct lq_input *input, const struct lq_tensors *tensors,
                                  const struct lq_sidecar *sidecar, struct lq_error *err);

// What the outputs are, from a request's tensors (every dimension known). Fails with MODEL and a
// list of what was found.
LQ_MUST_CHECK int lq_head_decide(enum lq_head *head, struct lq_layout *layout,
                                 const struct lq_tensors *tensors, const struct lq_input *input,
                                 const struct lq_sidecar *sidecar, struct lq_error *err);

// Why no head was found, and what to change in the export (head_refused.c); returns MODEL.
int lq_head_refuse(const struct lq_tensors *tensors, const struct lq_input *input,
                   const struct lq_sidecar *sidecar, struct lq_error *err);

// "images f32 [1,3,640,640]", as many as fit.
void lq_tensors_list(char *out, size_t size, const struct lq_tensor *tensors, int count);

// Whether a YOLO network has so many cells for an input of this size.
bool lq_anchors_fit(int64_t count, int64_t width, int64_t height);

// Two outputs of rank 3 and 4, whatever their sizes: YOLOv8-seg.
bool lq_has_yolo_shapes(const struct lq_tensors *tensors);
// Three of ranks 3, 3 and 4: RF-DETR-Seg.
bool lq_has_detr_shapes(const struct lq_tensors *tensors);
