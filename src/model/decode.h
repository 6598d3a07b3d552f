// From output tensors to patches, inside this layer only: what was decided about a model once
// (layout, rules) and what changes from frame to frame (geometry).
// Threads: any. Owner: plain data; a decode writes only into memory its caller gives.
#pragma once

#include "base/limits.h"
#include "model/model.h"

// What a detection is made of.
enum lq_rows {
    LQ_ROWS_CELLS,   // centre, size, a score for each class, coefficients: one for each grid cell
    LQ_ROWS_FINAL,   // corners, score, class, coefficients: chosen by the network ("end to end");
                     // `classes` is 2, the places of score and class
    LQ_ROWS_QUERIES, // RF-DETR: centre and size of 0..1; class logits and a mask of its own apart
};

// Which outputs are the mask map or the two of YOLO, and the order of their dimensions.
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

// How this frame's picture lies in the tensor: tensor = offset + picture * scale, in pixels.
struct lq_geometry {
    int tensor_width, tensor_height;
    float offset_x, offset_y, scale_x, scale_y;
    int picture_width, picture_height;
};

// sigmoid, and 0 for what is no number.
float lq_sigmoid(float x);

// What a map's values are: as the sidecar declares them, unless values outside 0..1 contradict it.
enum lq_values lq_mask_values(const struct lq_layout *layout, enum lq_values declared,
                              const float *map);

// One patch over the whole picture; `grid` has room for map_width * map_height floats.
void lq_mask_decode(const struct lq_layout *layout, const struct lq_rules *rules,
                    const struct lq_geometry *geometry, const float *map, float *grid,
                    struct lq_patch *patch);

// Scratch of one runner, sized for its model.
struct lq_yolo {
    uint32_t *heap;      // candidates: `anchors` indices …
    float *scores;       // … and every anchor's score
    float *grids;        // LQ_NAILS_MAX planes of probabilities
    size_t grid_floats;  // in one plane
};

LQ_MUST_CHECK int lq_yolo_init(struct lq_yolo *yolo, const struct lq_layout *layout);
void lq_yolo_release(struct lq_yolo *yolo);

// What a detection head gave for one picture, and how to read it.
struct lq_detections {
    const struct lq_layout *layout;
    const struct lq_rules *rules;
    const struct lq_geometry *geometry;
    const float *det;    // the detections, as layout->rows has them; of QUERIES the boxes [N, 4]
    const float *proto;  // prototypes of masks; of QUERIES the masks themselves [N, height, width]
    const float *labels; // of QUERIES class logits [N, classes]; else NULL
};

// Detections kept after thresholds and NMS, best first, one patch each; returns how many.
// NMS is class-agnostic: one nail seen as two classes is one nail.
int lq_yolo_decode(struct lq_yolo *yolo, const struct lq_detections *detections,
                   struct lq_patch *patches);
