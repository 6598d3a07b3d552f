// Which finger a nail is on, over time.
#include <math.h>
#include <string.h>

#include "nail/finger.h"
#include "nail/hand.h"
#include "nail/tracks.h"

static const float FINGER_S = 0.7f;        // time constant
// Weight of one run of the hand network. The first ones count for more: a hand's first crop is not
// computed from its own landmarks, and its nails may be off by a finger. A later run alone does not
// take away a name that is certain.
static const float HAND_SHARES[] = {1.0f, 0.7f, 0.5f, 0.3f};

static float sum(const float share[LQ_HAND_FINGERS])
{
    float total = 0.0f;
    for (int f = 0; f < LQ_HAND_FINGERS; f++)
        total += share[f];
    return total;
}

// Counts the run, and returns its weight.
static float hand_share(struct lq_track *track)
{
    int run = track->hand_runs, last = (int)LQ_COUNT(HAND_SHARES) - 1;
    track->hand_runs = run < last ? run + 1 : last;
    return HAND_SHARES[run];
}

void lq_track_filter_finger(struct lq_track *track, struct lq_nail *nail,
                            const struct lq_track_step *step, float dt_s)
{
    memset(track->seen_share, 0, sizeof track->seen_share);
    if (!nail->on_finger)
        track->hand_runs = 0;
    // The nails' arrangement is less certain than what the hand network showed last.
    bool by_hand = step->found && step->found->on_finger;
    if (by_hand || (step->found && !nail->on_finger))
        memcpy(track->seen_share, step->found->finger_share, sizeof track->seen_share);
    float share = by_hand ? hand_share(track) : 0.0f;
    if (track->found_count == 0)
        return;
    if (sum(track->seen_share) > 0.0f)
        share = sum(track->nail.finger_share) > 0.0f
                    ? fmaxf(share, 1.0f - expf(-dt_s / FINGER_S))
                    : 1.0f;
    for (int f = 0; f < LQ_HAND_FINGERS; f++) {
        float last = track->nail.finger_share[f];
        nail->finger_share[f] = last + share * (track->seen_share[f] - last);
    }
    lq_finger_choose(nail, track->nail.finger != LQ_FINGER_UNKNOWN ? LQ_FINGER_CONFIDENCE_KNOWN
                                                                   : LQ_FINGER_CONFIDENCE);
}

static bool are_near(const struct lq_nail *a, const struct lq_nail *b)
{
    float size = 0.5f * (sqrtf((float)a->area) + sqrtf((float)b->area));
    return hypotf(a->center_x - b->center_x, a->center_y - b->center_y) < LQ_FINGER_REACH * size;
}

static struct lq_track *track_of(struct lq_tracker *tracker, const struct lq_nail *nail)
{
    for (int t = 0; t < tracker->count; t++)
        if (tracker->tracks[t].id == nail->id)
            return &tracker->tracks[t];
    return NULL;
}

static bool is_seen_on(const struct lq_track *track, enum lq_finger finger)
{
    return track->seen_share[finger - LQ_FINGER_THUMB] >= LQ_FINGER_CONFIDENCE_KNOWN;
}

// Whether the nail is called by the finger of another one of the same hand, which this frame shows
// there, and it not. Without a look at this nail's hand it may be another hand's.
static bool is_mistaken(struct lq_tracker *tracker, const struct lq_nails *nails, int i)
{
    const struct lq_nail *nail = &nails->items[i];
    const struct lq_track *track = track_of(tracker, nail);
    if (nail->finger == LQ_FINGER_UNKNOWN || is_seen_on(track, nail->finger) ||
        (nail->on_finger && !(sum(track->seen_share) > 0.0f)))
        return false;
    for (int j = 0; j < nails->count; j++) {
        const struct lq_nail *other = &nails->items[j];
        if (j != i && other->finger == nail->finger && are_near(nail, other) &&
            is_seen_on(track_of(tracker, other), nail->finger))
            return true;
    }
    return false;
}

void lq_track_separate_fingers(struct lq_track_update *update, struct lq_nails *nails)
{
    for (int i = 0; i < nails->count; i++) {
        struct lq_nail *nail = &nails->items[i];
        struct lq_track *track = track_of(update->tracker, nail);
        if (!is_mistaken(update->tracker, nails, i))
            continue;
        memcpy(nail->finger_share, track->seen_share, sizeof nail->finger_share);
        lq_finger_choose(nail, LQ_FINGER_CONFIDENCE);
        track->nail.finger = nail->finger;
        memcpy(track->nail.finger_share, nail->finger_share, sizeof nail->finger_share);
        i = -1; // its own finger may be another one's: look at all again
    }
}
