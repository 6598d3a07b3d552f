// The hand landmark network: finds 21 points of a hand in a square crop of a picture, with the hand
// upright. The network is MediaPipe Hands' hand_landmark_full (models/README.md). Its input is
// [1,224,224,3] RGB 0..1; its outputs are 63 numbers (x, y, z of each point in crop pixels),
// presence 0..1, right hand 0..1, and 63 numbers that we do not use. Order and names of the points
// are those of the network (Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking",
// 2020).
// Threads: an opened network is read-only and shared; a landmarker belongs to one thread at a time.
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
    float presence; // 0..1: confidence that the crop shows a hand
    float right;    // 0..1: confidence that it is a right hand
};

// A square of the picture; parts outside the picture are black.
struct lq_hand_crop {
    struct lq_point center;
    float size; // side in pixels
    float turn; // radians clockwise from the picture's up direction to the hand's
};

struct lq_landmarks;  // the opened network
struct lq_landmarker; // one thread's requests

// The network that ships with Lacquer: the installed file, else the one in the source tree.
const char *lq_landmarks_default_path(void);

// `options`: only precision, cache_dir and threads are used. Runs in bf16 if that is requested and
// this processor supports it; otherwise in f32. MODEL: the file holds another network.
LQ_MUST_CHECK int lq_landmarks_open(struct lq_landmarks **landmarks, const char *path,
                                    const struct lq_engine_options *options, struct lq_error *err);
// The same with a given engine instead of this machine's default.
LQ_MUST_CHECK int lq_landmarks_open_by(struct lq_landmarks **landmarks,
                                       const struct lq_engine_ops *ops, const char *path,
                                       const struct lq_engine_options *options,
                                       struct lq_error *err);
void lq_landmarks_close(struct lq_landmarks *landmarks); // landmarks may be NULL
enum lq_precision lq_landmarks_precision(const struct lq_landmarks *landmarks); // F32 or BF16

LQ_MUST_CHECK int lq_landmarker_new(struct lq_landmarker **landmarker,
                                    const struct lq_landmarks *landmarks, struct lq_error *err);
void lq_landmarker_free(struct lq_landmarker *landmarker); // landmarker may be NULL

// Sets the picture that crops are cut from until the next call; a large picture is scaled down.
LQ_MUST_CHECK int lq_landmarker_set_picture(struct lq_landmarker *landmarker,
                                            const struct lq_image *picture, struct lq_error *err);

// Runs the network on a crop. `mirrored` flips the crop left to right, and the points back.
LQ_MUST_CHECK int lq_landmarker_run(struct lq_landmarker *landmarker,
                                    const struct lq_hand_crop *crop, bool mirrored,
                                    struct lq_hand *hand, struct lq_error *err);
