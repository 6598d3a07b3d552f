#include "model/head.h"

#include <stdio.h>
#include <string.h>

enum { PICTURE_CHANNELS = 3, BOX_VALUES = 4, PROTOS_MAX = 256, ANCHORS_MAX = 1 << 20,
       BATCH_MAX = 64 };

void lq_tensors_list(char *out, size_t size, const struct lq_tensor *tensors, int count)
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
    lq_tensors_list(found, sizeof found, tensors->inputs, tensors->input_count);
    if (tensors->input_count != 1 || tensor->rank != 4 || !lq_edge_takes_picture(tensor->type))
        return lq_fail(err, LQ_ERR_MODEL,
                       "cannot run this model on pictures: its input is %s, not one f32 tensor "
                       "[1,3,h,w] or [1,h,w,3] (or f16, u8, i8)",
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
    if (tensor->dims[0] == 0 || tensor->dims[0] > BATCH_MAX)
        return lq_fail(err, LQ_ERR_MODEL,
                       "input %s takes too many pictures at once: export with batch=1", found);
    int64_t height = tensor->dims[first ? 2 : 1], width = tensor->dims[first ? 3 : 2];
    if (width > 1 << 14 || height > 1 << 14)
        return lq_fail(err, LQ_ERR_MODEL, "input %s is too large", found);
    *input = (struct lq_input){.channels_first = first,
                               .width = width > 0 ? (int)width : 0,
                               .height = height > 0 ? (int)height : 0,
                               .batch = tensor->dims[0] > 0 ? (int)tensor->dims[0] : 1};
    return LQ_OK;
}

bool lq_has_yolo_shapes(const struct lq_tensors *tensors)
{
    return tensors->output_count == 2 &&
           tensors->outputs[0].rank + tensors->outputs[1].rank == 7 &&
           (tensors->outputs[0].rank == 3 || tensors->outputs[0].rank == 4);
}

bool lq_has_detr_shapes(const struct lq_tensors *tensors)
{
    int sum = 0;
    for (int i = 0; i < tensors->output_count && i < 3; i++)
        sum += tensors->outputs[i].rank == 3 ? 1 : tensors->outputs[i].rank == 4 ? 10 : 100;
    return tensors->output_count == 3 && sum == 12;
}

// Detectors without masks return a list of rows, far longer than wide for any input.
static bool is_picture_shaped(const struct lq_layout *layout, const struct lq_input *input)
{
    enum { STRETCH_MAX = 4 };
    int64_t a = (int64_t)layout->map_width * input->height;
    int64_t b = (int64_t)layout->map_height * input->width;
    return a <= STRETCH_MAX * b && b <= STRETCH_MAX * a;
}

// Finds one output that is [1,c,h,w], [1,h,w,c], [1,h,w] or [h,w] with c of 1 or 2. Of a batch only
// the first picture's part is read.
static bool find_map(struct lq_layout *layout, const struct lq_tensors *tensors,
                     const struct lq_input *input)
{
    const struct lq_tensor *map = &tensors->outputs[0];
    if (tensors->output_count != 1 || !lq_edge_gives_numbers(map->type) || map->rank < 2 ||
        map->rank > 4)
        return false;
    int64_t dims[3] = {1, 0, 0}; // without the batch: [c, h, w] or [h, w, c]
    if (map->rank == 2) {
        dims[1] = map->dims[0];
        dims[2] = map->dims[1];
    } else {
        if (map->dims[0] != input->batch)
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
    return layout->map_height > 1 && layout->map_width > 1 &&
           (map->rank == 4 || is_picture_shaped(layout, input));
}

// Whether YOLOv8 has this number of anchors for this input: one per cell of its three grids, or of
// variants with a finer or coarser fourth grid.
bool lq_anchors_fit(int64_t count, int64_t width, int64_t height)
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
    // The grid has the input's aspect ratio; the other dimension is the channels.
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

// Finds which dimension of the detections holds rows, and what a row contains. False: neither fits.
static bool find_rows(struct lq_layout *layout, const struct lq_tensor *det,
                      const struct lq_input *input, const struct lq_sidecar *sidecar)
{
    int64_t a = det->dims[1], b = det->dims[2], least = BOX_VALUES + 1 + layout->protos;
    bool plain = a >= least && lq_anchors_fit(b, input->width, input->height);
    layout->det_transposed =
        !plain && b >= least && lq_anchors_fit(a, input->width, input->height);
    if (!plain && !layout->det_transposed) {
        // Box, score, class, coefficients: no other head has such rows, whatever a sidecar
        // declares.
        if (b == BOX_VALUES + 2 + layout->protos) {
            layout->rows = LQ_ROWS_FINAL;
            layout->det_transposed = true;
        } else if (sidecar->head == LQ_HEAD_YOLO_SEG) {
            // A sidecar that names the head vouches for unusual anchors: the longer side is the
            // anchors.
            layout->det_transposed = a > b;
        } else {
            return false;
        }
    }
    int64_t values = layout->det_transposed ? b : a, anchors = layout->det_transposed ? a : b;
    if (values < least || anchors < 1 || anchors > ANCHORS_MAX)
        return false;
    layout->anchors = (int)anchors;
    layout->classes = (int)values - BOX_VALUES - layout->protos;
    return true;
}

static bool find_yolo(struct lq_layout *layout, const struct lq_tensors *tensors,
                      const struct lq_input *input, const struct lq_sidecar *sidecar)
{
    if (!lq_has_yolo_shapes(tensors))
        return false;
    layout->det_index = tensors->outputs[0].rank == 3 ? 0 : 1;
    layout->proto_index = 1 - layout->det_index;
    const struct lq_tensor *det = &tensors->outputs[layout->det_index];
    const struct lq_tensor *proto = &tensors->outputs[layout->proto_index];
    return lq_edge_gives_numbers(det->type) && lq_edge_gives_numbers(proto->type) &&
           det->dims[0] == input->batch && proto->dims[0] == input->batch &&
           find_proto(layout, proto, input->width, input->height, input->channels_first) &&
           find_rows(layout, det, input, sidecar);
}

static bool named_as_boxes(const struct lq_tensor *tensor)
{
    return strstr(tensor->name, "dets") || strstr(tensor->name, "box");
}

// RF-DETR-Seg: boxes [1,q,4], class logits [1,q,c] and masks [1,q,h,w]. With four classes boxes and
// logits have the same shape: their names distinguish them, or the order in which they are
// exported.
static bool find_detr(struct lq_layout *layout, const struct lq_tensors *tensors,
                      const struct lq_input *input)
{
    const struct lq_tensor *mask = NULL, *pair[2] = {NULL, NULL};
    if (tensors->output_count != 3)
        return false;
    for (int i = 0, flat = 0; i < 3; i++) {
        const struct lq_tensor *tensor = &tensors->outputs[i];
        if (!lq_edge_gives_numbers(tensor->type) || tensor->dims[0] != input->batch)
            return false;
        if (tensor->rank == 4)
            mask = tensor;
        else if (tensor->rank == 3 && flat < 2)
            pair[flat++] = tensor;
    }
    if (!mask || !pair[1])
        return false;
    bool swapped = pair[0]->dims[2] != BOX_VALUES ||
                  (pair[1]->dims[2] == BOX_VALUES && named_as_boxes(pair[1]) &&
                   !named_as_boxes(pair[0]));
    const struct lq_tensor *boxes = pair[swapped], *labels = pair[!swapped];
    int64_t queries = mask->dims[1], rows = mask->dims[2], columns = mask->dims[3];
    if (boxes->dims[2] != BOX_VALUES || boxes->dims[1] != queries || labels->dims[1] != queries ||
        labels->dims[2] < 1 || labels->dims[2] > ANCHORS_MAX || queries < 1 ||
        queries > ANCHORS_MAX || rows < 2 || columns < 2 || rows > 4 * input->height ||
        columns > 4 * input->width || rows * input->width != columns * input->height)
        return false;
    layout->rows = LQ_ROWS_QUERIES;
    layout->det_index = (int)(boxes - tensors->outputs);
    layout->labels_index = (int)(labels - tensors->outputs);
    layout->proto_index = (int)(mask - tensors->outputs);
    layout->anchors = (int)queries;
    layout->classes = (int)labels->dims[2];
    layout->proto_width = (int)columns;
    layout->proto_height = (int)rows;
    return true;
}

// If the sidecar named only classes that the network lacks, nothing would ever be a nail.
static int check_classes(const struct lq_layout *layout, const struct lq_sidecar *sidecar,
                         struct lq_error *err)
{
    uint64_t mask = layout->classes < 64 ? ((uint64_t)1 << layout->classes) - 1 : UINT64_MAX;
    if (layout->rows == LQ_ROWS_FINAL || !sidecar->class_mask || (sidecar->class_mask & mask))
        return LQ_OK;
    return lq_fail(err, LQ_ERR_MODEL,
                   "the sidecar's \"classes\" names none of this model's, which are 0 to %d",
                   layout->classes - 1);
}

int lq_head_decide(enum lq_head *head, struct lq_layout *layout, const struct lq_tensors *tensors,
                   const struct lq_input *input, const struct lq_sidecar *sidecar,
                   struct lq_error *err)
{
    enum lq_head only = sidecar->head;
    bool any = only == LQ_HEAD_ANY;
    *layout = (struct lq_layout){0};
    if ((any || only == LQ_HEAD_MASK) && find_map(layout, tensors, input)) {
        *head = LQ_HEAD_MASK;
        return LQ_OK;
    }
    *layout = (struct lq_layout){0};
    if ((any || only == LQ_HEAD_YOLO_SEG) && find_yolo(layout, tensors, input, sidecar)) {
        *head = LQ_HEAD_YOLO_SEG;
        return check_classes(layout, sidecar, err);
    }
    *layout = (struct lq_layout){0};
    if ((any || only == LQ_HEAD_DETR_SEG) && find_detr(layout, tensors, input)) {
        *head = LQ_HEAD_DETR_SEG;
        return check_classes(layout, sidecar, err);
    }
    return lq_head_refuse(tensors, input, sidecar, err);
}

const char *lq_head_name(enum lq_head head)
{
    static const char *const names[LQ_HEAD_COUNT] = {
        [LQ_HEAD_ANY] = "any",
        [LQ_HEAD_MASK] = "mask", [LQ_HEAD_YOLO_SEG] = "yolo-seg", [LQ_HEAD_DETR_SEG] = "detr-seg"};
    return names[head];
}
