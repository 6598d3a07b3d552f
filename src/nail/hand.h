// Finds the hand that nails belong to, from hand landmarks (model/landmarks.h): each nail's
// direction and finger. The nails locate the hand: the network runs on crops around them, in all
// rotations, and a result counts if its fingertips lie on nails. This needs no palm detector, and
// also finds cropped and curled hands, which palm detectors miss.
// Threads: a finder belongs to one thread at a time. Owner: new/free by the caller.
#pragma once

#include "model/landmarks.h"
#include "nail/nail.h"

struct lq_hand_finder;

LQ_MUST_CHECK int lq_hand_finder_new(struct lq_hand_finder **finder,
                                     const struct lq_landmarks *landmarks, struct lq_error *err);
void lq_hand_finder_free(struct lq_hand_finder *finder); // finder may be NULL

// When to interrupt or end a search.
struct lq_hand_limits {
    uint64_t deadline_us;         // lq_clock_us() after which the result is useless; 0: none
    void (*pause)(void *context); // called before each run of the network; NULL: never
    void *context;
};

// Searches the hands of these nails and orients each nail on a finger along it: axis, length,
// width, tip and finger. The others stay as they are. Runs the network 10 to 50 times.
// limits: NULL sets none. TIMEOUT: the deadline has passed.
LQ_MUST_CHECK int lq_hand_estimate(struct lq_hand_finder *finder, const struct lq_image *picture,
                                   struct lq_nails *nails, const struct lq_hand_limits *limits,
                                   struct lq_error *err);

// ---- fingers without a nail

enum { LQ_HAND_FINGERS = LQ_FINGER_COUNT - 1, LQ_HANDS_MAX = 3 };
// Twice: where the picture and the mirrored picture show a finger at different places.
enum { LQ_BARE_FINGERS_MAX = 2 * LQ_HAND_FINGERS * LQ_HANDS_MAX };

// A finger on which no nail was found.
struct lq_bare_finger {
    int hand, finger;     // finger: 0 thumb .. 4 little
    struct lq_point nail; // where the middle of its nail is expected
    struct lq_point way;  // unit vector to the fingertip
    float length;         // the mean length of the hand's nails, pixels
    float reach;          // how far from there the middle may lie, pixels
};

// The fingers without a nail of the hands that the last lq_hand_estimate found, whose tips are in
// the picture, the likelier places first. nails: as that call left them. fingers: room for
// LQ_BARE_FINGERS_MAX. Returns their number.
int lq_hand_bare_fingers(const struct lq_hand_finder *finder, const struct lq_image *picture,
                         const struct lq_nails *nails, struct lq_bare_finger *fingers);
// Appends the nail that was missing, oriented along its finger: of those that a closer look has
// `seen`, the nearest that has about the expected place and size. Does nothing if there is none, if
// it is one of `nails`, or if that finger has got one meanwhile.
void lq_hand_add_nail(struct lq_hand_finder *finder, struct lq_nails *nails,
                      const struct lq_bare_finger *bare, const struct lq_nails *seen);

// ---- videos

// What is known of a video's hands. Only one frame at a time uses it (it has a lock); a frame that
// arrives meanwhile, or is older than the last, does without it.
struct lq_hand_memory;

LQ_MUST_CHECK int lq_hand_memory_new(struct lq_hand_memory **memory);
void lq_hand_memory_free(struct lq_hand_memory *memory); // memory may be NULL
void lq_hand_memory_forget(struct lq_hand_memory *memory);
// Whether a frame of that time should be searched for hands; if so, it must be the whole picture.
bool lq_hand_memory_is_due(struct lq_hand_memory *memory, uint64_t time_us);
// Notes a frame with nails that is not searched for hands: how often hands are followed depends on
// the time between frames.
void lq_hand_memory_pass(struct lq_hand_memory *memory, uint64_t time_us);

enum {
    LQ_HAND_FOLLOW_US = 250 * 1000,     // minimum time between two runs on a known hand
    LQ_HAND_FOLLOW_MAX_US = 700 * 1000, // upper limit of that time at low frame rates
    LQ_HAND_SEARCH_US = 25 * 1000,      // time between two crops of a search
    LQ_HAND_REST_US = 1000 * 1000,      // pause after a search that found no hand
    LQ_HAND_AWAIT_US = 1000 * 1000,     // how long nails await the hand that is searched for
    LQ_HAND_LASTING_US = 1500 * 1000    // how long a nail keeps the finger it was classified on
};

// As lq_hand_estimate for a frame of a video, with few runs of the network: a known hand is tracked
// by one, an unknown one is searched for in one crop per frame, and a hand just found gets another
// run. Nails that match no hand in this frame keep their estimates, and the tracker keeps those of
// earlier frames; while a search is under way, they await it.
LQ_MUST_CHECK int lq_hand_follow(struct lq_hand_finder *finder, struct lq_hand_memory *memory,
                                 const struct lq_image *picture, struct lq_nails *nails,
                                 uint64_t time_us, struct lq_error *err);

// ---- parts, exposed for tests

// Which finger each nail is on (0 thumb .. 4 little, -1 none), and the direction in which it
// points.
struct lq_hand_match {
    int finger[LQ_NAILS_MAX];
    struct lq_point tip[LQ_NAILS_MAX]; // unit vectors
    int count;                         // number of nails on fingers
    float value;                       // how well nails and fingertips agree: 0 .. number of nails
};

// Pairs nails with fingertips, best pairs first. `on`: which nails to use.
void lq_hand_match(const struct lq_hand *hand, const struct lq_nails *nails, const bool *on,
                   struct lq_hand_match *match);

// The crop in which the network is most accurate, computed from the landmarks of an earlier run.
struct lq_hand_crop lq_hand_crop_of(const struct lq_hand *hand);

// Turns a nail to point along the unit vector `tip`. Keeps the nail's own axis if it is close to
// `tip` and the nail is clearly longer than wide.
void lq_hand_turn(struct lq_nail *nail, struct lq_point tip);
