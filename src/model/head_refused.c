// Identifies networks that cannot be used by their outputs, and names the option of their export to
// change. The options are those of Ultralytics' and Roboflow's exporters.
#include <stdio.h>
#include <string.h>

#include "model/head.h"

enum { BOX_VALUES = 4, POINT_VALUES = 3 };

static bool any_is_whole(const struct lq_tensors *tensors)
{
    for (int i = 0; i < tensors->output_count; i++)
        if (!lq_edge_gives_numbers(tensors->outputs[i].type))
            return true;
    return false;
}

static int count_rank(const struct lq_tensors *tensors, int rank)
{
    int count = 0;
    for (int i = 0; i < tensors->output_count; i++)
        count += tensors->outputs[i].rank == rank;
    return count;
}

// One output of rank 3: a row per cell, or rows that the network selected.
static const char *why_rows(const struct lq_tensor *det, const struct lq_input *input)
{
    int64_t a = det->dims[1], b = det->dims[2];
    bool cells = lq_anchors_fit(b, input->width, input->height) ||
                 lq_anchors_fit(a, input->width, input->height);
    if (cells)
        return "it gives boxes and no masks: a detector, or one of poses or turned boxes; export "
               "the segmentation model (\"-seg\", task=segment)";
    if (b == BOX_VALUES + 2)
        return "it gives boxes and no masks, chosen end to end (end2end=True or nms=True): export "
               "the segmentation model (\"-seg\", task=segment)";
    if (b > BOX_VALUES + 2 && b < a)
        return "it gives one list of rows and no prototypes to make masks of: export the "
               "segmentation model (\"-seg\", task=segment), with end2end=False and nms=False";
    return NULL;
}

// Detections and prototypes that do not match.
static const char *why_pair(const struct lq_tensors *tensors, const struct lq_input *input)
{
    const struct lq_tensor *det = &tensors->outputs[tensors->outputs[0].rank == 3 ? 0 : 1];
    bool cells = lq_anchors_fit(det->dims[1], input->width, input->height) ||
                 lq_anchors_fit(det->dims[2], input->width, input->height);
    if (cells)
        return "its rows have no place for a class beside the coefficients, or its prototypes are "
               "not in the input's proportions: export it again with imgsz as it was trained";
    return "its rows are neither one for each cell of the input nor box, score, class and "
           "coefficients: export with end2end=False (YOLO26) and nms=False; where it does have "
           "other cells, its sidecar may say \"head\": \"yolo-seg\"";
}

static const char *why(const struct lq_tensors *tensors, const struct lq_input *input)
{
    const struct lq_tensor *first = &tensors->outputs[0];
    int count = tensors->output_count, threes = count_rank(tensors, 3),
        fours = count_rank(tensors, 4);
    if (any_is_whole(tensors))
        return "its outputs are whole numbers whose scale is not known: export with float outputs, "
               "or use the .tflite, which declares it";
    if (count == 1 && first->rank == 2 && first->dims[0] == input->batch)
        return "it gives one number for each class of picture: a classifier; export the "
               "segmentation model (\"-seg\", task=segment)";
    if (count == 1 && first->rank == 3)
        return why_rows(first, input);
    if (count == 1 && first->rank == 4)
        return "its map has other than 1 or 2 channels: it must be nail, or background and nail";
    if (count == 2 && threes == 2)
        return "it gives boxes and classes and no masks, as RF-DETR does: export RF-DETR-Seg";
    if (count == 2 && threes == 1 && fours == 1)
        return why_pair(tensors, input);
    if (count == 4 && fours == 0)
        return "it chooses boxes with a plugin (num_dets, boxes, scores, classes) and gives no "
               "masks: export the segmentation model with nms=False";
    if (fours >= POINT_VALUES)
        return "it gives raw feature maps: export with the head that decodes them (Ultralytics' "
               "own export, task=segment)";
    return NULL;
}

int lq_head_refuse(const struct lq_tensors *tensors, const struct lq_input *input,
                   const struct lq_sidecar *sidecar, struct lq_error *err)
{
    char found[200], said[80] = "";
    lq_tensors_list(found, sizeof found, tensors->outputs, tensors->output_count);
    const char *reason = why(tensors, input);
    if (sidecar->head != LQ_HEAD_ANY)
        snprintf(said, sizeof said, "; its sidecar says \"%s\", which it is not",
                 lq_head_name(sidecar->head));
    return lq_fail(err, LQ_ERR_MODEL,
                   "unknown head: outputs %s; wanted a map of 1 or 2 channels, YOLO-seg's "
                   "[1,4+classes+32,n] or [1,n,6+32] and [1,32,h,w], or RF-DETR-Seg's boxes, "
                   "classes and masks%s%s%s",
                   found, reason ? "; " : "", reason ? reason : "", said);
}
