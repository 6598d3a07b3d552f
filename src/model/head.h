// Decides from the shapes of tensors what kind of model it is; where shapes are ambiguous, the
// sidecar decides. Threads: any, no state.
#pragma once

#include "model/sidecar.h"

struct lq_input {
    bool channels_first;
    int width, height; // 0: open
    int batch;         // pictures per run; 1 if open
};

// Decides what input 0 is. Fails with MODEL if it cannot take a picture.
LQ_MUST_CHECK int lq_input_decide(struct lq_input *input, const struct lq_tensors *tensors,
                                  const struct lq_sidecar *sidecar, struct lq_error *err);

// Decides what the outputs are, from a request's tensors (every dimension is known). Fails with
// MODEL and a list of the tensors.
LQ_MUST_CHECK int lq_head_decide(enum lq_head *head, struct lq_layout *layout,
                                 const struct lq_tensors *tensors, const struct lq_input *input,
                                 const struct lq_sidecar *sidecar, struct lq_error *err);

// Explains why no head was recognised, and what to change in the export (head_refused.c); returns
// MODEL.
int lq_head_refuse(const struct lq_tensors *tensors, const struct lq_input *input,
                   const struct lq_sidecar *sidecar, struct lq_error *err);

// Writes "images f32 [1,3,640,640]", for as many tensors as fit.
void lq_tensors_list(char *out, size_t size, const struct lq_tensor *tensors, int count);

// Whether a YOLO network has this number of cells for an input of this size.
bool lq_anchors_fit(int64_t count, int64_t width, int64_t height);

// Whether there are two outputs of rank 3 and 4, whatever their sizes: YOLOv8-seg.
bool lq_has_yolo_shapes(const struct lq_tensors *tensors);
// Whether there are three outputs of rank 3, 3 and 4: RF-DETR-Seg.
bool lq_has_detr_shapes(const struct lq_tensors *tensors);
