// The hand of the nails: the direction of each and which finger it is on, from hand landmarks
// (model/landmarks.h). The nails locate the hand: the network runs on crops around them, in all
// rotations, and its result counts where fingertips lie on nails. No palm detector is needed, and
// cropped and curled hands, which such detectors miss, are found.
// Threads: a finder belongs to one thread at a time. Owner: new/free by the caller.
#pragma once

#include "model/landmarks.h"
#include "nail/nail.h"

struct lq_hand_finder;

LQ_MUST_CHECK int lq_hand_finder_new(struct lq_hand_finder **finder,
                                     const struct lq_landmarks *landmarks, struct lq_error *err);
void lq_hand_finder_free(struct lq_hand_finder *finder); // NULL is fine

// When a search is interrupted or ended.
struct lq_hand_limits {
    uint64_t deadline_us;         // lq_clock_us() after which the result is of no use; 0: none
    void (*pause)(void *context); // called before each run of the network; NULL: no pauses
    void *context;
};

// Searches the hands of these nails and orients each nail on a finger along it: axis, length,
// breadth, tip and finger. The others stay as they are. Runs the network 10 to 50 times.
// limits: NULL is none. TIMEOUT: the deadline is over.
LQ_MUST_CHECK int lq_hand_estimate(struct lq_hand_finder *finder, const struct lq_image *picture,
                                   struct lq_nails *nails, const struct lq_hand_limits *limits,
                                   struct lq_error *err);

// ---- videos

// What is known of a video's hands. One frame at a time uses it (a lock inside); one that arrives
// meanwhile is done without.
struct lq_hand_memory;

LQ_MUST_CHECK int lq_hand_memory_new(struct lq_hand_memory **memory);
void lq_hand_memory_free(struct lq_hand_memory *memory); // NULL is fine
void lq_hand_memory_forget(struct lq_hand_memory *memory);
// Whether a frame of that time is to be looked at for hands: of the whole picture then.
bool lq_hand_memory_is_due(struct lq_hand_memory *memory, uint64_t time_us);

enum {
    LQ_HAND_FOLLOW_US = 250 * 1000,  // between two runs of the network on a known hand, at least
    LQ_HAND_FOLLOW_MAX_US = 700 * 1000, // … and at most, where frames come seldom
    LQ_HAND_SEARCH_US = 25 * 1000,   // between two crops of a search
    LQ_HAND_REST_US = 1000 * 1000,   // after a search that found none
    LQ_HAND_LASTING_US = 1500 * 1000 // how long a nail keeps the finger that it was classified on
};

// As lq_hand_estimate for a frame of a video, with at most one run of the network for each hand: a
// known hand is followed, an unknown one is searched in one crop a frame. Nails on no hand of this
// frame stay as they are: the tracker keeps the estimates of earlier frames.
LQ_MUST_CHECK int lq_hand_follow(struct lq_hand_finder *finder, struct lq_hand_memory *memory,
                                 const struct lq_image *picture, struct lq_nails *nails,
                                 uint64_t time_us, struct lq_error *err);

// ---- the parts of it, for tests

enum { LQ_HAND_FINGERS = LQ_FINGER_COUNT - 1 };

// Which finger each nail is on: 0 thumb .. 4 little, -1 none; the direction in which it points.
struct lq_hand_match {
    int finger[LQ_NAILS_MAX];
    struct lq_point tip[LQ_NAILS_MAX]; // unit vectors
    int count;                         // of nails on fingers
    float value;                       // how well nails and fingertips agree: 0 .. nails
};

// Pairs nails and fingertips, the best first. `on`: the nails that count.
void lq_hand_match(const struct lq_hand *hand, const struct lq_nails *nails, const bool *on,
                   struct lq_hand_match *match);

// The crop in which the network is most accurate, from the landmarks of an earlier run.
struct lq_hand_crop lq_hand_crop_of(const struct lq_hand *hand);

// Turns a nail to point along the unit vector `tip`; its own axis stays where it is clearly longer
// than broad and lies near.
void lq_hand_turn(struct lq_nail *nail, struct lq_point tip);
