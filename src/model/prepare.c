#include "model/prepare.h"

#include <math.h>
#include <string.h>

static bool takes_size(const struct lq_input *input, const struct lq_tensors *tensors, int width,
                       int height)
{
    return !tensors->fixed || ((input->width == 0 || input->width == width) &&
                               (input->height == 0 || input->height == height));
}

int lq_prepare_sizes(struct lq_size sizes[LQ_MODEL_SIZES_MAX], const struct lq_sidecar *sidecar,
                     const struct lq_input *input, const struct lq_tensors *tensors)
{
    static const struct lq_size usual[] = {{384, 288}, {288, 384}, {320, 320}};
    int count = 0, width = input->width, height = input->height;
    for (int i = 0; i < sidecar->size_count; i++)
        if (takes_size(input, tensors, sidecar->sizes[i].width, sidecar->sizes[i].height))
            sizes[count++] = (struct lq_size){sidecar->sizes[i].width, sidecar->sizes[i].height};
    if (count > 0)
        return count;
    if (width > 0 || height > 0) {
        sizes[0] = (struct lq_size){width > 0 ? width : height, height > 0 ? height : width};
        return 1;
    }
    if (lq_has_yolo_shapes(tensors)) {
        sizes[0] = (struct lq_size){640, 640};
        return 1;
    }
    memcpy(sizes, usual, sizeof usual);
    return (int)LQ_COUNT(usual);
}

float lq_prepare_distance(const struct lq_size *size, const struct lq_image *picture)
{
    return fabsf(logf((float)size->width / (float)size->height) -
                 logf((float)picture->width / (float)picture->height));
}

void lq_prepare_normalise(struct lq_sidecar *sidecar, const struct lq_tensors *tensors)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    if (sidecar->normalised || !lq_has_detr_shapes(tensors))
        return;
    memcpy(sidecar->mean, mean, sizeof mean);
    memcpy(sidecar->std, std, sizeof std);
}

void lq_prepare_place(struct lq_resize_target *target, const struct lq_sidecar *sidecar,
                      bool letterbox, const struct lq_image *picture)
{
    // The grey that YOLO models see around pictures in training.
    target->pad = sidecar->pad >= 0 ? sidecar->pad : 114.0f / 255.0f;
    for (int c = 0; c < 3; c++) {
        target->scale[c] = 1.0f / sidecar->std[c];
        target->bias[c] = -sidecar->mean[c] / sidecar->std[c];
    }
    target->x = target->y = 0;
    target->width = target->tensor_width;
    target->height = target->tensor_height;
    if (!letterbox)
        return;
    float ratio_x = (float)target->width / (float)picture->width;
    float ratio_y = (float)target->height / (float)picture->height;
    float ratio = ratio_x < ratio_y ? ratio_x : ratio_y;
    int width = (int)lroundf((float)picture->width * ratio);
    int height = (int)lroundf((float)picture->height * ratio);
    target->width = width > 0 ? width : 1;
    target->height = height > 0 ? height : 1;
    // An odd pixel goes to the right and below, as it does in the trainers' letterbox.
    target->x = (target->tensor_width - target->width) / 2;
    target->y = (target->tensor_height - target->height) / 2;
}
