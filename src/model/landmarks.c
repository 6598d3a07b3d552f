#include "model/landmarks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/list.h"
#include "image/resize.h"

enum {
    SIDE = 224,          // of the network's input
    PICTURE_SIDE = 448,  // crops are cut from no more than this
    COORDINATES = 3 * LQ_LANDMARK_COUNT,
};

struct lq_landmarks {
    const struct lq_engine_ops *ops;
    struct lq_engine *engine;
    enum lq_precision precision;
};

struct lq_landmarker {
    const struct lq_landmarks *landmarks;
    struct lq_request *request;
    struct lq_resizer *resizer;
    float *pixels;       // the reduced picture: width * height * 3, 0..1
    int width, height;
    float scale;         // reduced pixels per pixel of the picture
};

static bool fits(const struct lq_tensors *tensors)
{
    const struct lq_tensor *in = &tensors->inputs[0];
    return tensors->input_count == 1 && tensors->output_count >= 3 && in->rank == 4 &&
           in->dims[1] == SIDE && in->dims[2] == SIDE && in->dims[3] == 3 &&
           in->type == LQ_TENSOR_F32 && lq_tensor_count(&tensors->outputs[0]) == COORDINATES &&
           lq_tensor_count(&tensors->outputs[1]) == 1 && lq_tensor_count(&tensors->outputs[2]) == 1;
}

int lq_landmarks_open(struct lq_landmarks **out, const char *path,
                      const struct lq_engine_options *options, struct lq_error *err)
{
    return lq_landmarks_open_by(out, &lq_engine_openvino, path, options, err);
}

// bf16 or f32, for which models/README.md compares directions and fingers; f16 was not measured.
static int compile(struct lq_landmarks *landmarks, struct lq_engine_model *model,
                   const struct lq_engine_options *how, struct lq_error *err)
{
    struct lq_engine_options plain = *how;
    int status = landmarks->ops->compile(&landmarks->engine, model, how, err);
    if (status == LQ_ERR_UNAVAILABLE && how->precision != LQ_PRECISION_F32) {
        plain.precision = LQ_PRECISION_F32;
        status = landmarks->ops->compile(&landmarks->engine, model, &plain, err);
    }
    landmarks->precision = plain.precision;
    return status;
}

int lq_landmarks_open_by(struct lq_landmarks **out, const struct lq_engine_ops *ops,
                         const char *path, const struct lq_engine_options *options,
                         struct lq_error *err)
{
    const struct lq_engine_source source = {.path = path};
    bool half = options->precision == LQ_PRECISION_BF16;
    const struct lq_engine_options how = {.precision = half ? LQ_PRECISION_BF16 : LQ_PRECISION_F32,
                                          .tune = LQ_TUNE_THROUGHPUT,
                                          .threads = options->threads,
                                          .cache_dir = options->cache_dir};
    struct lq_engine_model *model;
    *out = NULL;
    int status = ops->read(&model, &source, err);
    if (status != LQ_OK)
        return status;
    struct lq_landmarks *landmarks = NULL;
    if (!fits(&model->tensors))
        status = lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no hand landmark network", path);
    else if (!(landmarks = calloc(1, sizeof *landmarks)))
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.150s'", path);
    if (landmarks) {
        landmarks->ops = ops;
        status = compile(landmarks, model, &how, err);
    }
    ops->forget(model);
    if (status != LQ_OK) {
        lq_landmarks_close(landmarks);
        return status;
    }
    *out = landmarks;
    return LQ_OK;
}

enum lq_precision lq_landmarks_precision(const struct lq_landmarks *landmarks)
{
    return landmarks->precision;
}

void lq_landmarks_close(struct lq_landmarks *landmarks)
{
    if (!landmarks)
        return;
    landmarks->ops->close(landmarks->engine);
    free(landmarks);
}

int lq_landmarker_new(struct lq_landmarker **out, const struct lq_landmarks *landmarks,
                      struct lq_error *err)
{
    *out = NULL;
    struct lq_landmarker *landmarker = calloc(1, sizeof *landmarker);
    if (landmarker) {
        landmarker->landmarks = landmarks;
        // One float more, because a pixel is read as a vector of four.
        landmarker->pixels = calloc((size_t)PICTURE_SIDE * PICTURE_SIDE * 3 + 1, sizeof(float));
    }
    if (!landmarker || !landmarker->pixels || lq_resizer_new(&landmarker->resizer) != LQ_OK) {
        lq_landmarker_free(landmarker);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for hand landmarks");
    }
    int status = landmarks->ops->request_new(&landmarker->request, landmarks->engine, err);
    if (status != LQ_OK) {
        lq_landmarker_free(landmarker);
        return status;
    }
    *out = landmarker;
    return LQ_OK;
}

void lq_landmarker_free(struct lq_landmarker *landmarker)
{
    if (!landmarker)
        return;
    landmarker->landmarks->ops->request_free(landmarker->request);
    lq_resizer_free(landmarker->resizer);
    free(landmarker->pixels);
    free(landmarker);
}

static int at_least_one(float value)
{
    return value < 1.0f ? 1 : (int)lroundf(value);
}

int lq_landmarker_set_picture(struct lq_landmarker *landmarker, const struct lq_image *picture,
                              struct lq_error *err)
{
    int longer = picture->width > picture->height ? picture->width : picture->height;
    landmarker->scale = longer > PICTURE_SIDE ? (float)PICTURE_SIDE / (float)longer : 1.0f;
    landmarker->width = at_least_one((float)picture->width * landmarker->scale);
    landmarker->height = at_least_one((float)picture->height * landmarker->scale);
    const struct lq_resize_target target = {
        .data = landmarker->pixels,
        .tensor_width = landmarker->width, .tensor_height = landmarker->height,
        .width = landmarker->width, .height = landmarker->height,
        .scale = {1, 1, 1},
    };
    return lq_resizer_run(landmarker->resizer, picture, &target, err);
}

// One pixel's three floats and the next pixel's first, which is ignored: four make a vector.
struct lanes {
    float lane __attribute__((vector_size(16)));
};

static inline __attribute__((always_inline)) struct lanes pixel_at(const float *pixels)
{
    struct lanes pixel;
    memcpy(&pixel, pixels, sizeof pixel);
    return pixel;
}

// Samples where some of the four neighbours lie outside the picture; those are black.
static struct lanes sample_at_edge(const struct lq_landmarker *landmarker, int i0, int j0, float fx,
                                   float fy)
{
    struct lanes sum = {0};
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            int column = i0 + i, row = j0 + j;
            if (column < 0 || row < 0 || column >= landmarker->width || row >= landmarker->height)
                continue;
            size_t at = (size_t)row * (size_t)landmarker->width + (size_t)column;
            float share = (i ? fx : 1.0f - fx) * (j ? fy : 1.0f - fy);
            sum.lane += share * pixel_at(landmarker->pixels + 3 * at).lane;
        }
    return sum;
}

// The picture's colour at (x, y), bilinear between pixel centres; black outside.
static inline __attribute__((always_inline)) struct lanes
sample(const struct lq_landmarker *landmarker, float x, float y)
{
    const int width = landmarker->width, height = landmarker->height;
    float from_left = x + 0.5f, from_top = y + 0.5f; // never below 0 inside the picture
    if (!(from_left >= 0.0f && from_top >= 0.0f && from_left < (float)width + 1.0f &&
          from_top < (float)height + 1.0f))
        return (struct lanes){0};
    int i0 = (int)from_left - 1, j0 = (int)from_top - 1;
    float fx = from_left - 1.0f - (float)i0, fy = from_top - 1.0f - (float)j0;
    if (i0 < 0 || j0 < 0 || i0 + 1 >= width || j0 + 1 >= height)
        return sample_at_edge(landmarker, i0, j0, fx, fy);
    const float *above = landmarker->pixels + 3 * ((size_t)j0 * (size_t)width + (size_t)i0);
    const float *below = above + 3 * (size_t)width;
    struct lanes sum = {(1.0f - fx) * (1.0f - fy) * pixel_at(above).lane +
                        fx * (1.0f - fy) * pixel_at(above + 3).lane +
                        (1.0f - fx) * fy * pixel_at(below).lane +
                        fx * fy * pixel_at(below + 3).lane};
    return sum;
}

// Crop pixel (u, v), relative to the crop's centre, lies at centre + u * (cos, sin) + v * (-sin,
// cos).
struct placing {
    float x, y, cosine, sine; // in pixels of the reduced picture
};

static struct placing place(const struct lq_landmarker *landmarker, const struct lq_hand_crop *crop)
{
    float step = crop->size * landmarker->scale / (float)SIDE;
    return (struct placing){crop->center.x * landmarker->scale, crop->center.y * landmarker->scale,
                            step * cosf(crop->turn), step * sinf(crop->turn)};
}

LQ_HOT static void cut(const struct lq_landmarker *landmarker, const struct lq_hand_crop *crop,
                       bool mirrored, float *out)
{
    const struct placing at = place(landmarker, crop);
    float step = hypotf(at.cosine, at.sine);
    int taps = step < 1.25f ? 1 : step < 2.5f ? 2 : 3; // samples per side, averaged
    const float weight = 1.0f / (float)(taps * taps), between = 1.0f / (float)taps;
    const float first = 0.5f * between - SIDE / 2, sign = mirrored ? -1.0f : 1.0f;
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++, out += 3) {
            struct lanes sum = {0};
            for (int tap = 0; tap < taps * taps; tap++) {
                float u = sign * ((float)i + (float)(tap % taps) * between + first);
                float v = (float)j + (float)(tap / taps) * between + first;
                sum.lane += sample(landmarker, at.x + u * at.cosine - v * at.sine,
                                   at.y + u * at.sine + v * at.cosine).lane;
            }
            sum.lane *= weight;
            memcpy(out, &sum, 3 * sizeof *out);
        }
}

int lq_landmarker_run(struct lq_landmarker *landmarker, const struct lq_hand_crop *crop,
                      bool mirrored, struct lq_hand *hand, struct lq_error *err)
{
    const struct lq_engine_ops *ops = landmarker->landmarks->ops;
    const struct lq_tensors *tensors = ops->request_tensors(landmarker->request);
    cut(landmarker, crop, mirrored, tensors->inputs[0].data);
    int status = ops->run(landmarker->request, 0, err);
    if (status != LQ_OK)
        return status;
    const float *points = tensors->outputs[0].data;
    const struct placing at = place(landmarker, crop);
    for (int i = 0; i < LQ_LANDMARK_COUNT; i++) {
        float u = points[3 * i] - SIDE / 2, v = points[3 * i + 1] - SIDE / 2;
        u = mirrored ? -u : u;
        hand->points[i].x = (at.x + u * at.cosine - v * at.sine) / landmarker->scale;
        hand->points[i].y = (at.y + u * at.sine + v * at.cosine) / landmarker->scale;
    }
    hand->presence = *(const float *)tensors->outputs[1].data;
    float right = *(const float *)tensors->outputs[2].data;
    hand->right = mirrored ? 1.0f - right : right;
    return LQ_OK;
}
