// The pictures that `lacquer quantize` calibrates with, prepared like frames for that network, and
// the masks that a network draws on them.
// Threads: main thread of its process. Owner: open/close by the caller.
#pragma once

#include "convert/pictures.h"
#include "image/codec.h"
#include "model/model.h"
#include "model/prepare.h"

enum { LQ_QUANTIZE_PAINTED = 32 }; // number of pictures whose masks are compared

struct lq_quantize_pictures {
    char **paths;              // of those that can be decoded
    int count;
    int bad_count;             // how many cannot
    struct lq_error first_bad; // why the first of them cannot be decoded
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
    int held;                  // number of the picture in `tensor`; -1: none
    const char *source;        // the model given by the user, whose sidecar applies
    uint8_t *painted[LQ_QUANTIZE_PAINTED]; // the float model's masks, one bit per pixel
    int painted_count;         // 0: not drawn yet
    char unpainted[256];       // why masks cannot be drawn; "" if they can
};

// Lists the paths of at most `wanted` pictures of a folder, spread evenly by name. IO: there are
// none.
LQ_MUST_CHECK int lq_quantize_list(const char *folder, int wanted, char ***paths, int *count,
                                   struct lq_error *err);

// Takes ownership of `paths`. `model`: the float model as an .onnx file, made from `source`.
// Pictures that cannot be decoded are skipped and counted in bad_count; CORRUPT if none can be
// decoded.
LQ_MUST_CHECK int lq_quantize_pictures_open(struct lq_quantize_pictures *pictures, char **paths,
                                            int count, const char *model, const char *source,
                                            struct lq_error *err);
void lq_quantize_pictures_close(struct lq_quantize_pictures *pictures);

// For struct lq_pictures; the context is this struct.
int lq_quantize_get(void *context, int index, const struct lq_tensor **input,
                    struct lq_error *err);

// How far the masks of the model in the file agree with those of the float model, over all pixels;
// NaN if neither has a nail, or the network has no head that produces masks.
LQ_MUST_CHECK int lq_quantize_painted(struct lq_quantize_pictures *pictures, const char *model,
                                      const char *path, double *iou, struct lq_error *err);
