// The pictures that `lacquer quantize` calibrates with, prepared as frames for that network are,
// and what a network paints on them.
// Threads: main thread of its process. Owner: open/close by the caller.
#pragma once

#include "convert/pictures.h"
#include "image/codec.h"
#include "model/model.h"
#include "model/prepare.h"

enum { LQ_QUANTIZE_PAINTED = 32 }; // pictures whose masks are compared

struct lq_quantize_pictures {
    char **paths;              // of those that can be decoded
    int count;
    int bad_count;             // how many cannot
    struct lq_error first_bad; // why the first of them cannot
    struct lq_codec *codec;
    struct lq_buf file, pixels, data, mask;
    struct lq_image picture;
    struct lq_resizer *resizer;
    struct lq_sidecar sidecar;
    struct lq_input input;
    bool letterbox;
    int size_count;
    struct lq_size sizes[LQ_MODEL_SIZES_MAX];
    struct lq_tensor tensor;
    int held;                  // picture that `tensor` holds; -1: none
    const char *source;        // the model that was given: its sidecar is the network's
    uint8_t *painted[LQ_QUANTIZE_PAINTED]; // the float model's masks, a bit a pixel
    int painted_count;         // 0: not drawn yet
    char unpainted[256];       // why nothing can be painted; "" when it can
};

// Paths of at most `wanted` pictures of a folder, evenly among them by name. IO: none there.
LQ_MUST_CHECK int lq_quantize_list(const char *folder, int wanted, char ***paths, int *count,
                                   struct lq_error *err);

// `paths` are taken. `model`: the float model as an .onnx file, made from `source`. Pictures that
// cannot be decoded are left out and counted in bad_count; CORRUPT when all are.
LQ_MUST_CHECK int lq_quantize_pictures_open(struct lq_quantize_pictures *pictures, char **paths,
                                            int count, const char *model, const char *source,
                                            struct lq_error *err);
void lq_quantize_pictures_close(struct lq_quantize_pictures *pictures);

// For struct lq_pictures; context is this struct.
int lq_quantize_get(void *context, int index, const struct lq_tensor **input,
                    struct lq_error *err);

// How far the masks that the model in the file draws agree with those of the float model, over all
// pixels; NaN when there is no nail in either, or the network has no head that draws masks.
LQ_MUST_CHECK int lq_quantize_painted(struct lq_quantize_pictures *pictures, const char *model,
                                      const char *path, double *iou, struct lq_error *err);
