// The hand landmark network: 21 points of the hand in a square crop of a picture, hand upright.
// It is MediaPipe Hands' hand_landmark_full (models/README.md): input [1,224,224,3] RGB 0..1;
// outputs 63 numbers (x, y, z of each point in crop pixels), presence 0..1, right hand 0..1, and 63
// numbers that are not used here. Order and names of the points are the network's (Zhang et al.,
// "MediaPipe Hands: On-device Real-time Hand Tracking", 2020).
// Threads: what is opened is read-only and shared; a landmarker belongs to one thread at a time.
// Owner: open/close and new/free by the caller.
#pragma once

#include "engine/engine.h"
#include "image/image.h"

enum lq_landmark {
    LQ_WRIST,
    LQ_THUMB_CMC, LQ_THUMB_MCP, LQ_THUMB_IP, LQ_THUMB_TIP,
    LQ_INDEX_MCP, LQ_INDEX_PIP, LQ_INDEX_DIP, LQ_INDEX_TIP,
    LQ_MIDDLE_MCP, LQ_MIDDLE_PIP, LQ_MIDDLE_DIP, LQ_MIDDLE_TIP,
    LQ_RING_MCP, LQ_RING_PIP, LQ_RING_DIP, LQ_RING_TIP,
    LQ_LITTLE_MCP, LQ_LITTLE_PIP, LQ_LITTLE_DIP, LQ_LITTLE_TIP,
    LQ_LANDMARK_COUNT
};

struct lq_point {
    float x, y; // picture pixels, pixel (0, 0) spans 0..1
};

struct lq_hand {
    struct lq_point points[LQ_LANDMARK_COUNT];
    float presence; // 0..1: the confidence that the crop shows a hand
    float right;    // 0..1: … that it is a right hand
};

// A square of the picture, which may reach beyond it (black there).
struct lq_hand_crop {
    struct lq_point center;
    float size; // pixels of a side
    float turn; // radians clockwise from the picture's up to the hand's
};

struct lq_landmarks;  // the opened network
struct lq_landmarker; // one thread's requests

// The network that comes with Lacquer: the installed file, else the one in the source tree.
const char *lq_landmarks_default_path(void);

// `options`: precision, cache_dir and threads are used. In bf16 where that is asked for and this
// processor can; else in f32. MODEL when the file holds another network.
LQ_MUST_CHECK int lq_landmarks_open(struct lq_landmarks **landmarks, const char *path,
                                    const struct lq_engine_options *options, struct lq_error *err);
// The same by another engine than the one that this machine has for it.
LQ_MUST_CHECK int lq_landmarks_open_by(struct lq_landmarks **landmarks,
                                       const struct lq_engine_ops *ops, const char *path,
                                       const struct lq_engine_options *options,
                                       struct lq_error *err);
void lq_landmarks_close(struct lq_landmarks *landmarks); // NULL is fine
enum lq_precision lq_landmarks_precision(const struct lq_landmarks *landmarks); // F32 or BF16

LQ_MUST_CHECK int lq_landmarker_new(struct lq_landmarker **landmarker,
                                    const struct lq_landmarks *landmarks, struct lq_error *err);
void lq_landmarker_free(struct lq_landmarker *landmarker); // NULL is fine

// What crops are cut from until the next call: the picture, made smaller where it is large.
LQ_MUST_CHECK int lq_landmarker_set_picture(struct lq_landmarker *landmarker,
                                            const struct lq_image *picture, struct lq_error *err);

// Runs the network on a crop; `mirrored` turns it left to right on the way in and the points back.
LQ_MUST_CHECK int lq_landmarker_run(struct lq_landmarker *landmarker,
                                    const struct lq_hand_crop *crop, bool mirrored,
                                    struct lq_hand *hand, struct lq_error *err);
