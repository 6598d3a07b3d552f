// Which nails a frame shows, and where: detected, held while the picture still shows them, or
// propagated.
#include <math.h>
#include <string.h>

#include "nail/match.h"
#include "nail/region.h"
#include "nail/tracks.h"

static const float HELD_MATCH_MIN = 0.6f;       // the picture still shows what was there
// a nail detected less often may be a false detection
static const int HELD_FOUND_MIN = 3;
static const int MISSED_MAX = 3; // looks of the network at a nail that is shown without a detection
static const float NEW_CONFIDENCE_MIN = 0.85f; // in a region

void lq_track_match(const struct lq_tracker *tracker, const struct lq_nails *found,
                    int match[LQ_NAILS_MAX])
{
    struct lq_match_track places[LQ_TRACKS_MAX] = {{0}};
    int track[LQ_TRACKS_MAX] = {0}, count = 0;
    for (int shown = 1; shown >= 0; shown--) // those shown last first
        for (int t = 0; t < tracker->count; t++) {
            const struct lq_nail *nail = &tracker->tracks[t].nail;
            if (tracker->tracks[t].shown != shown)
                continue;
            places[count] = (struct lq_match_track){nail->center_x, nail->center_y,
                                                    0.5f * (nail->length + nail->width)};
            track[count++] = t;
        }
    lq_match(places, count, found, match);
    for (int i = 0; i < found->count; i++)
        match[i] = match[i] >= 0 ? track[match[i]] : -1;
}

int lq_track_new(struct lq_tracker *tracker, uint64_t time_us)
{
    int at = tracker->count;
    if (at < LQ_TRACKS_MAX) {
        tracker->count++;
    } else {
        at = 0;
        for (int t = 1; t < LQ_TRACKS_MAX; t++)
            if (tracker->tracks[t].matched_us < tracker->tracks[at].matched_us)
                at = t;
    }
    tracker->tracks[at] = (struct lq_track){
        .id = lq_track_next_id(tracker), .matched_us = time_us, .found_us = time_us};
    return at;
}

static void unite(struct lq_pixel_box *box, const struct lq_nail *nail)
{
    const struct lq_pixel_box *crop = &nail->crop;
    int right = box->x + box->width, bottom = box->y + box->height;
    int nail_right = crop->x + crop->width, nail_bottom = crop->y + crop->height;
    box->x = box->x < crop->x ? box->x : crop->x;
    box->y = box->y < crop->y ? box->y : crop->y;
    box->width = (right > nail_right ? right : nail_right) - box->x;
    box->height = (bottom > nail_bottom ? bottom : nail_bottom) - box->y;
}

// A nail that enters over the border is detected in some frames and missed in others; it is shown
// after a few detections, so that it appears only once. Nails in a video's first frame are shown at
// once.
static bool waits_at_border(struct lq_track_update *update, const struct lq_nail *found,
                            struct lq_track *track)
{
    if (track->shown || !(update->detect_s > 0.0f) ||
        !lq_touches_border(update->picture, found))
        return false;
    bool lately = update->time_us - track->found_us <= LQ_LONG_HOLD_US;
    track->border_count = lately ? track->border_count + 1 : 1;
    track->found_us = update->time_us;
    track->nail.center_x = found->center_x;
    track->nail.center_y = found->center_y;
    track->nail.length = found->length;
    track->nail.width = found->width;
    return track->border_count < LQ_BORDER_FINDS;
}

// Returns the track that it continues.
static int plan_found(struct lq_track_update *update, const struct lq_nail *found, int track_index)
{
    struct lq_tracker *tracker = update->tracker;
    if (track_index < 0)
        track_index = lq_track_new(tracker, update->time_us);
    struct lq_track *track = &tracker->tracks[track_index];
    if (waits_at_border(update, found, track))
        return track_index;
    struct lq_track_step *step = &update->steps[update->count++];
    *step = (struct lq_track_step){.track = track_index, .found = found};
    if (track->shown) {
        step->motion = lq_motion_find(&track->template, update->picture,
                                      found->center_x - track->nail.center_x,
                                      found->center_y - track->nail.center_y);
        struct lq_shown_mask mask = lq_track_shown_mask(tracker, track);
        step->moved = step->motion.match > LQ_TRACK_MATCH_MIN &&
                      lq_shown_mask_moved_box(&mask, &step->motion, update->picture,
                                              &step->box);
    }
    if (!step->moved)
        step->box = found->crop;
    unite(&step->box, found);
    return track_index;
}

static bool lies_on_found(const struct lq_track_update *update, float x, float y, float size)
{
    for (int k = 0; k < update->count; k++) {
        const struct lq_nail *found = update->steps[k].found;
        if (found && hypotf(found->center_x - x, found->center_y - y) < 0.5f * size)
            return true;
    }
    return false;
}

// Whether the network looked at the nail in this frame, and at least as closely as when it found it
// last.
static bool is_looked_at(const struct lq_track_update *update, const struct lq_track *track)
{
    if (update->region)
        return !lq_region_cuts(update->region, update->picture, &track->nail);
    return !track->found_closely;
}

static bool may_hold(const struct lq_track_update *update, const struct lq_track *track)
{
    const struct lq_tracker *tracker = update->tracker;
    uint64_t hold_us = lq_track_hold_us(tracker), unfound_us = update->time_us - track->found_us;
    bool missed = is_looked_at(update, track);
    if (missed && track->found_count + track->border_count < HELD_FOUND_MIN)
        return false;
    if (!missed || track->missed_count < MISSED_MAX ||
        lq_touches_border(update->picture, &track->nail))
        hold_us = hold_us > LQ_LONG_HOLD_US ? hold_us : LQ_LONG_HOLD_US;
    return unfound_us <= hold_us || (update->region && track->found_us >= tracker->whole_us);
}

// A nail that was not detected may have been missed: it is kept while the picture still shows it.
static bool plan_held(struct lq_track_update *update, int track_index)
{
    struct lq_tracker *tracker = update->tracker;
    struct lq_track *track = &tracker->tracks[track_index];
    if (!track->shown || update->count == LQ_NAILS_MAX || !may_hold(update, track))
        return false;
    struct lq_track_step *step = &update->steps[update->count];
    *step = (struct lq_track_step){.track = track_index, .moved = true};
    step->motion = lq_motion_find(&track->template, update->picture, track->speed_x * update->dt_s,
                                  track->speed_y * update->dt_s);
    struct lq_shown_mask mask = lq_track_shown_mask(tracker, track);
    const struct lq_nail *nail = &track->nail;
    if (step->motion.match < HELD_MATCH_MIN ||
        lies_on_found(update, nail->center_x + step->motion.x, nail->center_y + step->motion.y,
                      nail->width) ||
        !lq_shown_mask_moved_box(&mask, &step->motion, update->picture, &step->box))
        return false;
    update->count++;
    return true;
}

static void note_missed(const struct lq_track_update *update, struct lq_track *track,
                        bool looked_at)
{
    if (!looked_at)
        return;
    track->missed_count++;
    if (update->region) {
        track->looked_us = update->time_us;
        track->found_closely = false;
    }
}

// Whether a detection in a whole frame lies on a nail that is shown as a closer look found it: that
// one separates neighbours better.
static bool lies_on_close(const struct lq_tracker *tracker, const struct lq_nail *found)
{
    for (int t = 0; t < tracker->count; t++) {
        const struct lq_track *track = &tracker->tracks[t];
        if (track->shown && track->found_closely &&
            hypotf(found->center_x - track->nail.center_x,
                   found->center_y - track->nail.center_y) < 0.5f * lq_nail_side(&track->nail))
            return true;
    }
    return false;
}

// A detection that the region cuts does not count, nor an unsure one of a nail that no whole frame
// has shown: the region lacks the context that distinguishes nail from skin.
static bool counts(const struct lq_track_update *update, const struct lq_nail *found,
                   int track_index)
{
    const struct lq_tracker *tracker = update->tracker;
    bool shown = track_index >= 0 && tracker->tracks[track_index].shown;
    if (!update->region || lq_region_is_whole(update->region, update->picture))
        return shown || !lies_on_close(tracker, found);
    return !lq_region_cuts(update->region, update->picture, found) &&
           (track_index >= 0 || found->confidence >= NEW_CONFIDENCE_MIN);
}

void lq_track_plan(struct lq_track_update *update, const struct lq_nails *found, const int *match)
{
    struct lq_tracker *tracker = update->tracker;
    bool seen[LQ_TRACKS_MAX] = {false};
    int before = tracker->count;
    for (int i = 0; i < found->count; i++) {
        if (!counts(update, &found->items[i], match[i]))
            continue;
        seen[plan_found(update, &found->items[i], match[i])] = true;
    }
    for (int t = 0; t < before; t++) {
        if (seen[t])
            continue;
        struct lq_track *track = &tracker->tracks[t];
        bool looked_at = is_looked_at(update, track);
        if (plan_held(update, t)) {
            note_missed(update, track, looked_at);
            continue;
        }
        tracker->lost = tracker->lost || (track->shown && !looked_at);
        track->border_count = track->shown ? 0 : track->border_count;
        track->shown = false;
    }
}

bool lq_track_plan_propagated(struct lq_track_update *update)
{
    struct lq_tracker *tracker = update->tracker;
    for (int t = 0; t < tracker->count; t++)
        if (tracker->tracks[t].shown &&
            (!plan_held(update, t) ||
             update->steps[update->count - 1].motion.match < LQ_TRACK_MATCH_SURE))
            return false;
    return true;
}
