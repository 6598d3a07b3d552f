#include "model/landmarks.h"

#include <math.h>
#include <stdlib.h>

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
};

struct lq_landmarker {
    const struct lq_landmarks *landmarks;
    struct lq_request *request;
    struct lq_resizer *resizer;
    float *pixels;       // the picture made small: width * height * 3, 0..1
    int width, height;
    float scale;         // its pixels a pixel of the picture
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
    const struct lq_engine_ops *ops = &lq_engine_openvino;
    struct lq_engine_read read = {0};
    const struct lq_engine_options how = {.precision = LQ_PRECISION_F32, .read = &read,
                                          .tune = LQ_TUNE_THROUGHPUT,
                                          .threads = options->threads,
                                          .cache_dir = options->cache_dir};
    struct lq_tensors tensors;
    *out = NULL;
    int status = ops->describe(path, &how, &tensors, err);
    if (status != LQ_OK)
        return status;
    struct lq_landmarks *landmarks = NULL;
    if (!fits(&tensors))
        status = lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no hand landmark network", path);
    else if (!(landmarks = calloc(1, sizeof *landmarks)))
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.150s'", path);
    if (landmarks) {
        landmarks->ops = ops;
        status = ops->open(&landmarks->engine, path, &how, err);
    }
    lq_engine_forget(&read);
    if (status != LQ_OK) {
        lq_landmarks_close(landmarks);
        return status;
    }
    *out = landmarks;
    return LQ_OK;
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
        landmarker->pixels = malloc((size_t)PICTURE_SIDE * PICTURE_SIDE * 3 * sizeof(float));
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

// Adds the picture's colour at (x, y), bilinear between the centres of pixels; black outside.
static inline void add_sample(const struct lq_landmarker *landmarker, float x, float y, float weight,
                       float sum[3])
{
    float left = floorf(x - 0.5f), top = floorf(y - 0.5f);
    if (!(left >= -1.0f && top >= -1.0f && left < (float)landmarker->width &&
          top < (float)landmarker->height))
        return;
    float fx = x - 0.5f - left, fy = y - 0.5f - top;
    int i0 = (int)left, j0 = (int)top;
    if (i0 >= 0 && j0 >= 0 && i0 + 1 < landmarker->width && j0 + 1 < landmarker->height) {
        const float *above = landmarker->pixels +
                             3 * ((size_t)j0 * (size_t)landmarker->width + (size_t)i0);
        const float *below = above + 3 * (size_t)landmarker->width;
        float a = (1.0f - fx) * (1.0f - fy) * weight, b = fx * (1.0f - fy) * weight;
        float c = (1.0f - fx) * fy * weight, d = fx * fy * weight;
        for (int k = 0; k < 3; k++)
            sum[k] += a * above[k] + b * above[3 + k] + c * below[k] + d * below[3 + k];
        return;
    }
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            int column = i0 + i, row = j0 + j;
            if (column < 0 || row < 0 || column >= landmarker->width || row >= landmarker->height)
                continue;
            const float *pixel = landmarker->pixels +
                                 3 * ((size_t)row * (size_t)landmarker->width + (size_t)column);
            float share = weight * (i ? fx : 1.0f - fx) * (j ? fy : 1.0f - fy);
            for (int c = 0; c < 3; c++)
                sum[c] += share * pixel[c];
        }
}

// Crop pixel (u, v), from the crop's middle, lies at centre + u * (cos, sin) + v * (-sin, cos).
struct placing {
    float x, y, cosine, sine; // in the small picture's pixels
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
    int taps = step < 1.25f ? 1 : step < 2.5f ? 2 : 3; // a side of the grid that makes one pixel
    float weight = 1.0f / (float)(taps * taps);
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++, out += 3) {
            out[0] = out[1] = out[2] = 0.0f;
            for (int tap = 0; tap < taps * taps; tap++) {
                float u = (float)i + ((float)(tap % taps) + 0.5f) / (float)taps - SIDE / 2;
                float v = (float)j + ((float)(tap / taps) + 0.5f) / (float)taps - SIDE / 2;
                u = mirrored ? -u : u;
                add_sample(landmarker, at.x + u * at.cosine - v * at.sine,
                           at.y + u * at.sine + v * at.cosine, weight, out);
            }
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
