#include "model/head.h"

#include <stdio.h>
#include <string.h>

enum { PICTURE_CHANNELS = 3, BOX_VALUES = 4, PROTOS_MAX = 256, ANCHORS_MAX = 1 << 20 };

// "images f32 [1,3,640,640]", as many as fit.
static void list_tensors(char *out, size_t size, const struct lq_tensor *tensors, int count)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < count && len + 1 < size; i++) {
        len += (size_t)snprintf(out + len, size - len, "%s%.24s %s [", i ? ", " : "",
                                tensors[i].name, lq_tensor_type_name(tensors[i].type));
        for (int d = 0; d < tensors[i].rank && len < size; d++)
            len += (size_t)snprintf(out + len, size - len,
                                    tensors[i].dims[d] < 0 ? "%s?" : "%s%lld", d ? "," : "",
                                    (long long)tensors[i].dims[d]);
        if (len < size)
            len += (size_t)snprintf(out + len, size - len, "]");
    }
}

int lq_input_decide(struct lq_input *input, const struct lq_tensors *tensors,
                    const struct lq_sidecar *sidecar, struct lq_error *err)
{
    const struct lq_tensor *tensor = &tensors->inputs[0];
    char found[120];
    list_tensors(found, sizeof found, tensors->inputs, tensors->input_count);
    if (tensors->input_count != 1 || tensor->rank != 4 || tensor->type != LQ_TENSOR_F32)
        return lq_fail(err, LQ_ERR_MODEL,
                       "cannot give this model a picture: its input is %s, not one f32 tensor "
                       "[1,3,h,w] or [1,h,w,3]",
                       found);
    bool first = tensor->dims[1] == PICTURE_CHANNELS, last = tensor->dims[3] == PICTURE_CHANNELS;
    bool open = tensor->dims[1] < 0 && tensor->dims[3] < 0;
    if (sidecar->layout != LQ_SIDECAR_LAYOUT_ANY) {
        bool wanted = sidecar->layout == LQ_SIDECAR_LAYOUT_NCHW;
        if (!open && !(wanted ? first : last))
            return lq_fail(err, LQ_ERR_MODEL, "the sidecar says \"%s\", but the input is %s",
                           wanted ? "nchw" : "nhwc", found);
        first = wanted;
    } else if (!first && !last) {
        return lq_fail(err, LQ_ERR_MODEL,
                       "cannot find 3 colour channels in input %s; its sidecar may say \"layout\"",
                       found);
    }
    if (tensor->dims[0] != 1 && tensor->dims[0] != -1)
        return lq_fail(err, LQ_ERR_MODEL,
                       "input %s takes several pictures at once: batch 1 or open is wanted", found);
    int64_t height = tensor->dims[first ? 2 : 1], width = tensor->dims[first ? 3 : 2];
    if (width > 1 << 14 || height > 1 << 14)
        return lq_fail(err, LQ_ERR_MODEL, "input %s is too large", found);
    *input = (struct lq_input){first, width > 0 ? (int)width : 0, height > 0 ? (int)height : 0};
    return LQ_OK;
}

bool lq_looks_like_yolo(const struct lq_tensors *tensors)
{
    return tensors->output_count == 2 &&
           tensors->outputs[0].rank + tensors->outputs[1].rank == 7 &&
           (tensors->outputs[0].rank == 3 || tensors->outputs[0].rank == 4);
}

// One f32 output that is [1,c,h,w], [1,h,w,c], [1,h,w] or [h,w] with c of 1 or 2.
static bool find_map(struct lq_layout *layout, const struct lq_tensors *tensors,
                     const struct lq_input *input)
{
    const struct lq_tensor *map = &tensors->outputs[0];
    if (tensors->output_count != 1 || map->type != LQ_TENSOR_F32 || map->rank < 2 || map->rank > 4)
        return false;
    int64_t dims[3] = {1, 0, 0}; // without the batch, [c, h, w] or [h, w, c]
    if (map->rank == 2) {
        dims[1] = map->dims[0];
        dims[2] = map->dims[1];
    } else {
        if (map->dims[0] != 1)
            return false;
        for (int i = 1; i < map->rank; i++)
            dims[3 - map->rank + i] = map->dims[i];
    }
    bool first = dims[0] == 1 || dims[0] == 2, last = dims[2] == 1 || dims[2] == 2;
    if (first && last)
        first = map->rank < 4 || input->channels_first;
    if (!first && !last)
        return false;
    layout->map_channels_first = first;
    layout->map_channels = (int)dims[first ? 0 : 2];
    layout->map_height = (int)dims[first ? 1 : 0];
    layout->map_width = (int)dims[first ? 2 : 1];
    return layout->map_height > 1 && layout->map_width > 1;
}

// How many anchors YOLOv8 has for this input: one for each cell of its three grids. Variants with
// a finer or coarser fourth grid count too.
static bool anchors_fit(int64_t count, int64_t width, int64_t height)
{
    int64_t cells[4];
    for (int i = 0; i < 4; i++)
        cells[i] = (width >> (i + 2)) * (height >> (i + 2)); // strides 4, 8, 16, 32
    int64_t usual = cells[1] + cells[2] + cells[3];
    return count == usual || count == usual + cells[0] ||
           count == usual + (width >> 6) * (height >> 6);
}

static bool find_proto(struct lq_layout *layout, const struct lq_tensor *proto, int width,
                       int height, bool prefer_first)
{
    int64_t a = proto->dims[1], b = proto->dims[2], c = proto->dims[3];
    // The grid has the input's proportions; the channels are what is left.
    bool first = b * width == c * height, last = a * width == b * height;
    if (!first && !last)
        return false;
    if (first && last)
        first = prefer_first;
    int64_t channels = first ? a : c, rows = first ? b : a, columns = first ? c : b;
    if (channels < 1 || channels > PROTOS_MAX || rows > height || columns > width)
        return false;
    layout->proto_channels_first = first;
    layout->protos = (int)channels;
    layout->proto_height = (int)rows;
    layout->proto_width = (int)columns;
    return true;
}

static bool find_yolo(struct lq_layout *layout, const struct lq_tensors *tensors,
                      const struct lq_input *input, const struct lq_sidecar *sidecar)
{
    if (!lq_looks_like_yolo(tensors))
        return false;
    layout->det_index = tensors->outputs[0].rank == 3 ? 0 : 1;
    layout->proto_index = 1 - layout->det_index;
    const struct lq_tensor *det = &tensors->outputs[layout->det_index];
    const struct lq_tensor *proto = &tensors->outputs[layout->proto_index];
    if (det->type != LQ_TENSOR_F32 || proto->type != LQ_TENSOR_F32 || det->dims[0] != 1 ||
        proto->dims[0] != 1 ||
        !find_proto(layout, proto, input->width, input->height, input->channels_first))
        return false;
    int64_t values = det->dims[1], anchors = det->dims[2], least = BOX_VALUES + 1 + layout->protos;
    bool plain = values >= least && anchors_fit(anchors, input->width, input->height);
    layout->det_transposed =
        !plain && anchors >= least && anchors_fit(values, input->width, input->height);
    // A sidecar that names the head vouches for unusual anchors: then the longer side holds them.
    if (!plain && !layout->det_transposed) {
        if (sidecar->head != LQ_SIDECAR_HEAD_YOLO_SEG)
            return false;
        layout->det_transposed = values > anchors;
    }
    if (layout->det_transposed) {
        int64_t swap = values;
        values = anchors;
        anchors = swap;
    }
    layout->anchors = (int)anchors;
    layout->classes = (int)values - BOX_VALUES - layout->protos;
    return layout->classes >= 1 && anchors >= 1 && anchors <= ANCHORS_MAX;
}

int lq_head_decide(enum lq_head *head, struct lq_layout *layout, const struct lq_tensors *tensors,
                   const struct lq_input *input, const struct lq_sidecar *sidecar,
                   struct lq_error *err)
{
    *layout = (struct lq_layout){0};
    if (sidecar->head != LQ_SIDECAR_HEAD_YOLO_SEG && find_map(layout, tensors, input)) {
        *head = LQ_HEAD_MASK;
        return LQ_OK;
    }
    if (sidecar->head != LQ_SIDECAR_HEAD_MASK && find_yolo(layout, tensors, input, sidecar)) {
        *head = LQ_HEAD_YOLO_SEG;
        return LQ_OK;
    }
    char found[110];
    list_tensors(found, sizeof found, tensors->outputs, tensors->output_count);
    return lq_fail(err, LQ_ERR_MODEL,
                   "unknown head: outputs %s; wanted a map of 1 or 2 channels, or YOLOv8-seg's "
                   "[1,4+classes+32,n] and [1,32,h,w]",
                   found);
}
