#include "model/opened.h"

#include <stdlib.h>

#include "base/text.h"

static float first_positive(float a, float b, float c)
{
    return a > 0 ? a : b > 0 ? b : c;
}

static void settle_rules(struct lq_model *model, const struct lq_model_options *options)
{
    const struct lq_sidecar *sidecar = &model->sidecar;
    bool yolo = model->info.head != LQ_HEAD_MASK;
    struct lq_rules *rules = &model->rules;
    rules->score_min = first_positive(options->score_min, sidecar->score, 0.25f);
    rules->nms_iou = first_positive(options->nms_iou, sidecar->nms_iou, 0.45f);
    rules->threshold = first_positive(yolo ? 0 : options->score_min, sidecar->threshold, 0.5f);
    rules->values = sidecar->values;
    rules->boxes = sidecar->boxes;
    rules->nail_channel = sidecar->nail_channel >= 0 ? sidecar->nail_channel : 1;
    rules->class_mask = sidecar->class_mask ? sidecar->class_mask : UINT64_MAX;
}

static void fill_info(struct lq_model *model)
{
    struct lq_model_info *info = &model->info;
    const struct lq_sidecar *sidecar = &model->sidecar;
    const struct lq_layout *layout = &model->variants[0].layout;
    bool yolo = info->head == LQ_HEAD_YOLO_SEG, detr = info->head == LQ_HEAD_DETR_SEG;
    info->path = model->source;
    info->name = model->name;
    info->engine = model->ops->name;
    info->channels_first = model->input.channels_first;
    info->letterbox = sidecar->resize == LQ_SIDECAR_RESIZE_ANY
                          ? yolo
                          : sidecar->resize == LQ_SIDECAR_LETTERBOX;
    info->end2end = layout->rows == LQ_ROWS_FINAL;
    info->boxes_normalised = detr || (yolo && (sidecar->boxes == LQ_BOXES_AUTO
                                          ? lq_ends_with(model->source, ".tflite")
                                          : sidecar->boxes == LQ_BOXES_UNIT));
    info->sidecar = sidecar->present;
    info->classes = info->end2end ? 0 : layout->classes;
    info->proto_channels = yolo ? layout->protos : 0;
    info->score_min = yolo || detr ? model->rules.score_min : model->rules.threshold;
    info->nms_iou = model->rules.nms_iou;
}

void lq_model_settle(struct lq_model *model, const struct lq_model_options *options)
{
    settle_rules(model, options);
    fill_info(model);
}

void lq_model_close_variants(struct lq_model *model)
{
    for (int i = 0; i < model->info.size_count; i++) {
        model->ops->close(model->variants[i].engine);
        model->ops->close(model->variants[i].exclusive);
        model->variants[i].engine = model->variants[i].exclusive = NULL;
    }
}

void lq_model_forget(struct lq_model *model)
{
    if (model->read)
        model->ops->forget(model->read);
    model->read = NULL;
}

void lq_model_close(struct lq_model *model)
{
    if (!model)
        return;
    lq_model_close_variants(model);
    if (model->raced)
        model->ops->close(model->raced);
    lq_model_forget(model);
    lq_landmarks_close(model->landmarks);
    free(model->path);
    free(model->source);
    free(model);
}

void lq_model_leave(struct lq_model *model)
{
    bool leak_check = false;
#if defined(LQ_SANITIZE)
    leak_check = true;
#endif
    if (leak_check || !model || !model->ops->frees_slowly)
        lq_model_close(model);
}

const struct lq_model_info *lq_model_info(const struct lq_model *model)
{
    return &model->info;
}

const struct lq_landmarks *lq_model_landmarks(const struct lq_model *model)
{
    return model->landmarks;
}
