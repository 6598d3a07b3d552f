// Converts output tensors to patches. Private to this layer. A model's layout and rules are decided
// once; the geometry changes from frame to frame.
// Threads: any. Owner: plain data; decoding writes only to memory that the caller supplies.
#pragma once

#include "base/limits.h"
#include "model/model.h"

// What the rows of a detection head contain.
enum lq_rows {
    LQ_ROWS_CELLS,   // one row per grid cell: centre, size, a score per class, coefficients
    LQ_ROWS_FINAL,   // corners, score, class, coefficients, already chosen by the network ("end to
                     // end"); `classes` is 2, for the columns of score and class
    LQ_ROWS_QUERIES, // RF-DETR: centre and size, 0..1; class logits and masks are separate outputs
};

// Which outputs are the mask map, or YOLO's two outputs, and the order of their dimensions.
struct lq_layout {
    int map_index; // mask head: output, channels (1 or 2), size
    bool map_channels_first;
    int map_channels, map_width, map_height;

    int det_index, proto_index; // yolo head
    enum lq_rows rows;
    bool det_transposed;        // [1, N, 4 + classes + protos] instead of [1, 4 + …, N]
    int labels_index;           // detr head: class logits [1, N, classes]; masks are proto_index
    int anchors, classes, protos;
    bool proto_channels_first;
    int proto_width, proto_height;
};

enum lq_values { LQ_VALUES_AUTO, LQ_VALUES_PROBABILITY, LQ_VALUES_LOGITS };
enum lq_boxes { LQ_BOXES_AUTO, LQ_BOXES_PIXELS, LQ_BOXES_UNIT };

struct lq_rules {
    float score_min, nms_iou;
    float threshold;     // a probability at or above this is nail
    enum lq_values values;
    enum lq_boxes boxes;
    int nail_channel;    // of a two-channel map
    uint64_t class_mask; // classes that are nails
};

// Where this frame's picture lies in the tensor: tensor = offset + picture * scale, in pixels.
struct lq_geometry {
    int tensor_width, tensor_height;
    float offset_x, offset_y, scale_x, scale_y;
    int picture_width, picture_height;
};

// The sigmoid; 0 for NaN.
float lq_sigmoid(float x);

// How to read a map's values: as the sidecar declares, unless values outside 0..1 contradict it.
enum lq_values lq_mask_values(const struct lq_layout *layout, enum lq_values declared,
                              const float *map);

// Decodes a mask head to one patch over the whole picture; `grid` holds map_width * map_height
// floats.
void lq_mask_decode(const struct lq_layout *layout, const struct lq_rules *rules,
                    const struct lq_geometry *geometry, const float *map, float *grid,
                    struct lq_patch *patch);

// Scratch of one runner, sized for its model.
struct lq_yolo {
    uint32_t *heap;      // candidates: indices of up to `anchors` anchors …
    float *scores;       // … and the score of every anchor
    float *grids;        // LQ_NAILS_MAX planes of probabilities
    size_t grid_floats;  // in one plane
};

LQ_MUST_CHECK int lq_yolo_init(struct lq_yolo *yolo, const struct lq_layout *layout);
void lq_yolo_release(struct lq_yolo *yolo);

// A detection head's outputs for one picture, and how to read them.
struct lq_detections {
    const struct lq_layout *layout;
    const struct lq_rules *rules;
    const struct lq_geometry *geometry;
    const float *det;    // the detections, as layout->rows describes; for QUERIES the boxes [N, 4]
    const float *proto;  // mask prototypes; for QUERIES the masks themselves [N, height, width]
    const float *labels; // for QUERIES class logits [N, classes]; else NULL
};

// Decodes the detections that remain after thresholds and NMS, best first, one patch each; returns
// their number. NMS ignores classes: one nail detected as two classes is one nail.
int lq_yolo_decode(struct lq_yolo *yolo, const struct lq_detections *detections,
                   struct lq_patch *patches);
