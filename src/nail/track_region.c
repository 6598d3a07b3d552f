// Where in the picture the network looks for the next frame: around all nails or, where these are
// large or far apart, around some of them in turn.
#include <math.h>

#include "nail/match.h"
#include "nail/region.h"
#include "nail/tracks.h"

static const float WINDOW_SIDE = 6.0f; // at most, in sizes of the largest nail inside
// How far a nail may move from frame to frame, in its own size, while the network looks elsewhere:
// what enters over the picture's border does not follow from its motion, and in photos that pan by
// a quarter of a nail a frame nails blinked without this limit.
static const float STILL = 0.15f, STILL_AT_BORDER = 0.02f;

static void add(struct lq_region *region, const struct lq_track *track, float dt_s)
{
    lq_region_add(region, &track->nail, track->speed_x * dt_s, track->speed_y * dt_s);
}

// Whether the picture alone shows where each nail moves while the network does not look at it.
static bool may_look_away(const struct lq_tracker *tracker, const struct lq_image *picture)
{
    for (int t = 0; t < tracker->count; t++) {
        const struct lq_track *track = &tracker->tracks[t];
        bool at_border = lq_touches_border(picture, &track->nail);
        if (track->shown && !(track->moved <= (at_border ? STILL_AT_BORDER : STILL)))
            return false;
    }
    return true;
}

// Of the nails shown that are not `tried`, the one at which the network has not looked closely for
// longest or, with `to`, the one nearest to it; -1: none.
static int choose(const struct lq_tracker *tracker, const struct lq_track *to,
                  const bool tried[LQ_TRACKS_MAX])
{
    int best = -1;
    double least = INFINITY;
    for (int t = 0; t < tracker->count; t++) {
        const struct lq_track *track = &tracker->tracks[t];
        if (!track->shown || tried[t])
            continue;
        float x = to ? track->nail.center_x - to->nail.center_x : 0.0f;
        float y = to ? track->nail.center_y - to->nail.center_y : 0.0f;
        double rank = to ? (double)hypotf(x, y) : (double)track->looked_us;
        if (rank < least) {
            least = rank;
            best = t;
        }
    }
    return best;
}

// A window around this nail and as many neighbours as fit; false: the nail itself is too large.
static bool place_window(const struct lq_tracker *tracker, const struct lq_track *track,
                         const struct lq_image *picture, float dt_s, struct lq_pixel_box *box)
{
    struct lq_region region = {0};
    bool tried[LQ_TRACKS_MAX] = {false}, placed = false;
    for (int t; (t = choose(tracker, track, tried)) >= 0; tried[t] = true) {
        struct lq_region wider = region;
        struct lq_pixel_box bounds;
        add(&wider, &tracker->tracks[t], dt_s);
        bool fits = lq_region_place(&wider, picture, &bounds) &&
                    fmaxf((float)bounds.width, (float)bounds.height) <=
                        WINDOW_SIDE * wider.largest;
        if (!fits && !placed)
            return false;
        if (!fits)
            continue;
        region = wider;
        *box = bounds;
        placed = true;
    }
    return placed;
}

enum lq_region_kind lq_track_region(const struct lq_tracker *tracker,
                                    const struct lq_image *picture, uint64_t time_us,
                                    struct lq_pixel_box *box)
{
    struct lq_region region = {0};
    bool tried[LQ_TRACKS_MAX] = {false};
    float dt_s = (float)(time_us - tracker->last_us) * 1e-6f;
    for (int t = 0; t < tracker->count; t++)
        if (tracker->tracks[t].shown)
            add(&region, &tracker->tracks[t], dt_s);
    if (lq_region_place(&region, picture, box))
        return LQ_REGION_ALL;
    if (!may_look_away(tracker, picture))
        return LQ_REGION_NONE;
    for (int t; (t = choose(tracker, NULL, tried)) >= 0; tried[t] = true)
        if (place_window(tracker, &tracker->tracks[t], picture, dt_s, box))
            return LQ_REGION_TURN;
    return LQ_REGION_NONE;
}
