// Resizes a picture for a network's input: antialiased bilinear (the triangle filter widens with
// the reduction; pixel centres at +0.5), fused with colour order, normalisation and tensor layout.
// Up to rounding, the result equals PIL's BILINEAR and PyTorch's antialias=True.
// Threads: one resizer belongs to one thread at a time. Owner: init/release by the caller. The
// coefficient tables are rebuilt only when a size changes, so a live session allocates nothing.
#pragma once

#include <stdbool.h>

#include "image/image.h"

struct lq_resizer;

// Where the picture lies in the tensor, and how pixels are converted to numbers.
struct lq_resize_target {
    float *data;          // tensor of tensor_height x tensor_width x 3
    int tensor_width;
    int tensor_height;
    bool channels_first;  // CHW planes, else HWC
    int x, y;             // the picture's position in the tensor (letterbox offset)
    int width, height;    // the picture's size in the tensor
    float pad;            // 0..1: value around the picture, before scale and bias
    float scale[3];       // value = pixel / full range * scale[c] + bias[c]
    float bias[3];
};

LQ_MUST_CHECK int lq_resizer_new(struct lq_resizer **resizer);
void lq_resizer_free(struct lq_resizer *resizer);

// Fills the whole tensor. Reads RGB or RGBA (alpha ignored) of 8 or 16 bits.
LQ_MUST_CHECK int lq_resizer_run(struct lq_resizer *resizer, const struct lq_image *source,
                                 const struct lq_resize_target *target, struct lq_error *err);
