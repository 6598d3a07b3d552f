// Internals of a tracker (track.h): what it keeps of each nail, and the plan for each nail in a
// frame. track.c updates the tracker with a frame; track_plan.c associates nails with tracks,
// track_draw.c draws their masks, track_filter.c filters their estimates over time, and
// track_finger.c their fingers.
// Threads: under the tracker's lock. Owner: the tracker owns its tracks; an update lives for one
// frame.
#pragma once

#include <pthread.h>

#include "nail/blend.h"
#include "nail/one_euro.h"
#include "nail/track.h"

// Minimum of lq_motion.match; below it the picture does not show where the nail has moved.
#define LQ_TRACK_MATCH_MIN 0.3f
// … from which on it shows that beyond doubt.
#define LQ_TRACK_MATCH_SURE 0.8f

struct lq_track {
    int id;
    uint64_t found_us;              // when it was last detected
    uint64_t multiscale_us;         // … in a region of interest; 0: never
    uint64_t looked_us;             // when it last lay in one, detected or not; 0: never
    bool found_closely;             // then, or in a region that was the whole picture
    int missed_count;               // looks of the network at it since it was last detected
    float moved;                    // since the frame before, in its own size; INFINITY: unknown
    uint64_t matched_us;              // when a nail was last matched with it
    int found_count;                // number of frames; 0: `nail` is not set yet
    int border_count;               // detections at the picture's border before it is shown there
    uint64_t on_finger_until_us;    // how long the finger that its hand showed holds (hand.h)
    int hand_runs;                  // of the network that showed it on its hand, since it lasts
    float seen_share[LQ_FINGER_COUNT - 1]; // finger_share by this frame alone; all 0: unclassified
    float speed_x, speed_y;         // pixels per second
    bool shown;                     // in the last frame; then `nail`, `alpha_at` and `template` are
                                    // valid
    float shown_x, shown_y;         // axis as shown last; 0, 0: not since it jumped
    bool shown_tip;                 // … and whether it pointed to the tip
    struct lq_nail nail;            // as shown or, with smooth false, as detected
    size_t alpha_at;                // position of its mask in the tracker's `alpha`
    struct lq_template template;
    struct lq_one_euro angle, length, width; // radians; logarithms of pixels
};

struct lq_tracker {
    pthread_mutex_t lock;
    uint64_t last_us, detected_us; // of the last frame, and of the last with a detection
    uint64_t interval_us;          // average time between detections; 0: not known yet
    int propagated_count;          // frames since detected_us
    uint64_t whole_us;             // of the last detection in a whole frame
    bool lost;                     // since then a nail was lost outside of the region of interest
    bool smooth;                   // of the last detection
    int width, height; // of the last picture; 0: none since the beginning or a rest
    int next_id, count;
    struct lq_track *tracks; // LQ_TRACKS_MAX of them; NULL: before the first frame, at rest
    struct lq_hand_memory *hands;
    struct lq_buf alpha;   // the masks shown last
    struct lq_buf scratch; // a moved mask and a found one, on the same pixels
};

// The plan for one nail in this frame.
struct lq_track_step {
    int track;                   // index
    const struct lq_nail *found; // NULL: held
    bool moved;                  // `motion` moves the last mask to this frame
    struct lq_motion motion;
    struct lq_pixel_box box;     // of its mask
};

struct lq_track_update {
    struct lq_tracker *tracker;
    const struct lq_image *picture;
    uint64_t time_us;
    float dt_s, detect_s;        // since the last frame, since the last detection
    const struct lq_pixel_box *region; // the region of interest used for detection; NULL: the whole
                                       // frame
    int count;
    struct lq_track_step steps[LQ_NAILS_MAX];
};

// Returns the index of a new track for a nail that matches none; it replaces the track that has
// gone unmatched longest.
int lq_track_new(struct lq_tracker *tracker, uint64_t time_us);
int lq_track_next_id(struct lq_tracker *tracker);

// How long a nail is shown without being detected, and how long detection may be limited to a
// region: the time of two detections where these are rare (a phone's own processor, a slow link).
static inline uint64_t lq_track_hold_us(const struct lq_tracker *tracker)
{
    uint64_t two = 2 * tracker->interval_us;
    return two > LQ_NAIL_HOLD_US ? two : LQ_NAIL_HOLD_US;
}

// track_plan.c: which track each detected nail continues (-1: none), and the plan of the frame.
void lq_track_match(const struct lq_tracker *tracker, const struct lq_nails *found,
                    int match[LQ_NAILS_MAX]);
void lq_track_plan(struct lq_track_update *update, const struct lq_nails *found, const int *match);
// Plans to propagate all nails shown last; false if one is lost, because it may be elsewhere now.
bool lq_track_plan_propagated(struct lq_track_update *update);

// track_region.c: the region of interest for a frame of that time, soon after the last.
enum lq_region_kind lq_track_region(const struct lq_tracker *tracker,
                                    const struct lq_image *picture, uint64_t time_us,
                                    struct lq_pixel_box *box);

// The mask with which the track was shown, in the tracker's memory.
struct lq_shown_mask lq_track_shown_mask(const struct lq_tracker *tracker,
                                         const struct lq_track *track);

// track_draw.c: draws the nail's mask, lq_track_stride(step) * step->box.height bytes: the detected
// mask, the last one moved, or both blended.
int lq_track_draw(struct lq_track_update *update, const struct lq_track_step *step, uint8_t *out);
size_t lq_track_stride(const struct lq_track_step *step);
void lq_track_copy_rows(const struct lq_nail *nail, const struct lq_pixel_box *box, uint8_t *out,
                        size_t stride);

// track_filter.c: measures the nail to show from its mask; false if nothing of it is left.
bool lq_track_measure(struct lq_track_update *update, const struct lq_track_step *step,
                      uint8_t *alpha, struct lq_nail *nail);
// Corrects the direction in which the nail is shown over several frames, without a jump.
void lq_track_turn_slowly(struct lq_track *track, struct lq_nail *nail,
                          const struct lq_track_step *step, float dt_s);

// track_finger.c: the finger's probabilities over time; a frame that shows too little of the hand
// has no weight.
void lq_track_filter_finger(struct lq_track *track, struct lq_nail *nail,
                            const struct lq_track_step *step, float dt_s);
// Of two nails of a hand on the same finger keeps the one that this frame shows there; the other
// gets the finger that this frame shows, or none. nails: as shown, with their tracks' ids.
void lq_track_separate_fingers(struct lq_track_update *update, struct lq_nails *nails);
