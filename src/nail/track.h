// Tracks nails from frame to frame: stable ids, steady outlines, no lag. One tracker per session.
// Each nail's own motion is measured in the picture (motion.h). The outline shown before is moved
// by it, and the new one is blended in: the less the two agree, the less of the old one is kept.
// Length, width and axis pass through a one-euro filter.
// Threads: any; a tracker processes one frame at a time (it has a lock, held during an update).
// Owner: new/free by the caller; results are stored in the caller's lq_tracked.
#pragma once

#include <stdbool.h>

#include "nail/hand.h"
#include "nail/nail.h"

struct lq_tracker;

// The nails of one frame, with masks of their own.
struct lq_tracked {
    struct lq_nails nails;
    struct lq_buf alpha;
};

void lq_tracked_init(struct lq_tracked *tracked);
void lq_tracked_release(struct lq_tracked *tracked);

LQ_MUST_CHECK int lq_tracker_new(struct lq_tracker **tracker);
void lq_tracker_free(struct lq_tracker *tracker); // tracker may be NULL
// Releases the memory of the last frame and resets all tracks; ids are not used again. The next
// frame is a first one, whatever its time. Does nothing while a frame is being tracked.
void lq_tracker_rest(struct lq_tracker *tracker);

// What is known of the hands of its nails (hand.h); owned by the tracker.
struct lq_hand_memory *lq_tracker_hands(struct lq_tracker *tracker);

// Tracks the nails `found` in a frame of time `time_us` (a monotonic clock): *tracked receives
// those to show. If smooth is false, only ids are tracked, and only detected nails are shown. A
// frame older than the last gets ids, is not smoothed and does not change the tracker. A nail that
// is no longer detected is shown for at most LQ_NAIL_HOLD_US or LQ_LONG_HOLD_US, and only while the
// picture still shows it. A nail that enters over the border is shown after LQ_BORDER_FINDS
// detections, because the network's confidence is low there.
LQ_MUST_CHECK int lq_tracker_update(struct lq_tracker *tracker, const struct lq_image *picture,
                                    const struct lq_nails *found, uint64_t time_us, bool smooth,
                                    struct lq_tracked *tracked);

enum lq_region_kind {
    LQ_REGION_NONE, // use the whole frame: no nail is shown, no region is possible, or no whole
                    // frame was used for some time
    LQ_REGION_ALL,  // around all nails
    LQ_REGION_TURN, // around some of them in turn: they are large or far apart, and move little
};
// The region of interest for the next frame: around nails shown last, at their expected positions
// at `time_us`. box: within the picture.
enum lq_region_kind lq_tracker_region(struct lq_tracker *tracker, const struct lq_image *picture,
                                      uint64_t time_us, struct lq_pixel_box *box);
// Whether a nail was shown lately, so that a picture of this size and time continues it.
bool lq_tracker_shows(struct lq_tracker *tracker, const struct lq_image *picture,
                      uint64_t time_us);
// As lq_tracker_update with `smooth`, for nails found in the region of interest `box`. From then on
// outlines follow mainly the regions; a nail that only whole frames show is kept between them. A
// nail that the region cuts off counts as not found. box is the whole picture if the network looked
// at all of it, and closely at its nails.
LQ_MUST_CHECK int lq_tracker_update_region(struct lq_tracker *tracker,
                                           const struct lq_image *picture,
                                           const struct lq_pixel_box *box,
                                           const struct lq_nails *found, uint64_t time_us,
                                           struct lq_tracked *tracked);

// Propagates the nails of the last frame to this one, each by its own motion, without a run of the
// network. *propagated says whether that was possible. It is not, and the tracker stays unchanged,
// if the picture shows something else in a nail's place; after LQ_PROPAGATED_FRAMES_MAX frames in a
// row or LQ_NAIL_HOLD_US; for a frame older than the last; and before a nail has been detected a
// few times. If the last frame had no nail, this one has none.
LQ_MUST_CHECK int lq_tracker_propagate(struct lq_tracker *tracker, const struct lq_image *picture,
                                       uint64_t time_us, struct lq_tracked *tracked,
                                       bool *propagated);

enum {
    LQ_REGION_US = 100 * 1000,       // longest time between two passes over the whole picture, or
                                     // the time of three passes if there are fewer than 20 a second
    LQ_PROPAGATED_FRAMES_MAX = 2,    // between two frames on which the network runs
    LQ_NAIL_HOLD_US = 100 * 1000,    // how long a nail is shown without being detected, or the time
                                     // of two passes if these take longer
    LQ_LONG_HOLD_US = 300 * 1000,    // … at the picture's border, or while the network has missed
                                     // it at most three times
    LQ_BORDER_FINDS = 3,             // detections before a nail that enters over the border is
                                     // shown
    LQ_NAIL_FORGET_US = 1000 * 1000, // how long a nail that is gone keeps its id
};
