// The sidecar "<model name>.json": what shapes alone cannot say about a model (docs/MODELS.md).
// Threads: any. Owner: a struct the caller owns; nothing to release.
#pragma once

#include "base/buf.h"
#include "model/decode.h"
#include "model/edges.h"

enum lq_sidecar_layout { LQ_SIDECAR_LAYOUT_ANY, LQ_SIDECAR_LAYOUT_NCHW, LQ_SIDECAR_LAYOUT_NHWC };
enum lq_sidecar_resize { LQ_SIDECAR_RESIZE_ANY, LQ_SIDECAR_STRETCH, LQ_SIDECAR_LETTERBOX };

enum { LQ_MODEL_SIZES_MAX = 4, LQ_MODEL_NAME_MAX = 64,
       LQ_FLOAT_MODEL_MAX = 128 };

struct lq_sidecar {
    bool present;
    char name[LQ_MODEL_NAME_MAX]; // empty: not given
    enum lq_head head;
    enum lq_sidecar_layout layout;
    enum lq_sidecar_resize resize;
    int size_count;
    struct { int width, height; } sizes[LQ_MODEL_SIZES_MAX];
    float pad; // < 0: not given
    float mean[3], std[3];
    enum lq_values values;
    enum lq_boxes boxes;
    int nail_channel;     // -1: not given
    uint64_t class_mask;  // bit set of classes that are nails; 0: not given
    float score, nms_iou, threshold; // 0: not given
    bool bf16_checked;
    char float_model[LQ_FLOAT_MODEL_MAX]; // a file beside this one; empty: not given
    bool normalised;      // mean or std is given
    struct lq_quantised input; // scale and zero point of an 8-bit input
};

// The values for a model without a sidecar: `present` is false, everything else is "not given".
static inline void lq_sidecar_none(struct lq_sidecar *sidecar)
{
    *sidecar = (struct lq_sidecar){.pad = -1, .nail_channel = -1, .std = {1, 1, 1}};
}

// Parses a sidecar's text; `name` appears in errors.
LQ_MUST_CHECK int lq_sidecar_parse(struct lq_sidecar *sidecar, const char *name,
                                   const struct lq_buf *json, struct lq_error *err);

// Path of the sidecar for `model_path`, whether it exists or not. False: it needs more than `size`
// bytes.
LQ_MUST_CHECK bool lq_sidecar_path(const char *model_path, char *path, size_t size);

// Reads the file beside `model_path`; if there is none, `present` is false.
LQ_MUST_CHECK int lq_sidecar_read(struct lq_sidecar *sidecar, const char *model_path,
                                  struct lq_error *err);
