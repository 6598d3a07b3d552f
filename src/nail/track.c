#include "nail/track.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nail/match.h"
#include "nail/region.h"
#include "nail/tip.h"
#include "nail/tracks.h"

enum { INTERVAL_US_MAX = 500 * 1000 };

void lq_tracked_init(struct lq_tracked *tracked)
{
    tracked->nails.count = 0;
    lq_buf_init(&tracked->alpha, (size_t)LQ_PICTURE_PIXELS_MAX * LQ_NAILS_MAX);
}

void lq_tracked_release(struct lq_tracked *tracked)
{
    lq_buf_release(&tracked->alpha);
    tracked->nails.count = 0;
}

int lq_tracker_new(struct lq_tracker **out)
{
    struct lq_tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker || lq_hand_memory_new(&tracker->hands) != LQ_OK) {
        free(tracker);
        return LQ_ERR_MEMORY;
    }
    pthread_mutex_init(&tracker->lock, NULL);
    tracker->next_id = 1;
    lq_buf_init(&tracker->alpha, (size_t)LQ_PICTURE_PIXELS_MAX * LQ_NAILS_MAX);
    lq_buf_init(&tracker->scratch, (size_t)LQ_PICTURE_PIXELS_MAX * 2);
    *out = tracker;
    return LQ_OK;
}

static void release_memory(struct lq_tracker *tracker)
{
    lq_buf_release(&tracker->alpha);
    lq_buf_release(&tracker->scratch);
    free(tracker->tracks);
    tracker->tracks = NULL;
    tracker->count = 0;
}

void lq_tracker_free(struct lq_tracker *tracker)
{
    if (!tracker)
        return;
    release_memory(tracker);
    lq_hand_memory_free(tracker->hands);
    pthread_mutex_destroy(&tracker->lock);
    free(tracker);
}

void lq_tracker_rest(struct lq_tracker *tracker)
{
    if (pthread_mutex_trylock(&tracker->lock) != 0)
        return;
    release_memory(tracker);
    tracker->width = tracker->height = 0;
    lq_hand_memory_forget(tracker->hands);
    pthread_mutex_unlock(&tracker->lock);
}

struct lq_hand_memory *lq_tracker_hands(struct lq_tracker *tracker)
{
    return tracker->hands;
}

int lq_track_next_id(struct lq_tracker *tracker)
{
    int id = tracker->next_id;
    tracker->next_id = id < INT32_MAX ? id + 1 : 1;
    return id;
}

// Whether a picture begins a video: the first one, the first after a rest, or one of another size.
static bool is_first(const struct lq_tracker *tracker, const struct lq_image *picture)
{
    return picture->width != tracker->width || picture->height != tracker->height;
}

static void forget_old(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t now_us)
{
    int kept = 0;
    for (int t = 0; t < tracker->count && !is_first(tracker, picture); t++)
        if (now_us - tracker->tracks[t].found_us <= LQ_NAIL_FORGET_US) {
            if (kept != t)
                tracker->tracks[kept] = tracker->tracks[t];
            kept++;
        }
    tracker->count = kept;
}

// Tracks used in this frame must not be replaced by its new ones.
static void mark_matched(struct lq_tracker *tracker, const int *match, int count, uint64_t time_us)
{
    for (int i = 0; i < count; i++)
        if (match[i] >= 0)
            tracker->tracks[match[i]].matched_us = time_us;
}

static void note_found(const struct lq_track_update *update, struct lq_track *track)
{
    track->found_us = update->time_us;
    track->found_count++;
    track->missed_count = 0;
    if (!update->region)
        return;
    track->found_closely = true;
    if (!lq_region_is_whole(update->region, update->picture))
        track->looked_us = track->multiscale_us = update->time_us;
}

static int show(struct lq_track_update *update, struct lq_tracked *tracked)
{
    struct lq_tracker *tracker = update->tracker;
    size_t offset[LQ_NAILS_MAX], size = 0;
    for (int k = 0; k < update->count; k++) {
        offset[k] = size;
        size += lq_track_stride(&update->steps[k]) * (size_t)update->steps[k].box.height;
    }
    int status = lq_buf_resize(&tracked->alpha, size);
    for (int k = 0; status == LQ_OK && k < update->count; k++)
        status = lq_track_draw(update, &update->steps[k], tracked->alpha.data + offset[k]);
    if (status == LQ_OK)
        status = lq_buf_resize(&tracker->alpha, size);
    if (status != LQ_OK)
        return status;
    for (int k = 0; k < update->count; k++) {
        const struct lq_track_step *step = &update->steps[k];
        struct lq_track *track = &tracker->tracks[step->track];
        struct lq_nail *nail = &tracked->nails.items[tracked->nails.count];
        track->shown = lq_track_measure(update, step, tracked->alpha.data + offset[k], nail);
        if (!track->shown)
            continue;
        if (step->found)
            note_found(update, track);
        track->moved = step->moved && step->motion.match >= LQ_TRACK_MATCH_SURE
                           ? hypotf(step->motion.x, step->motion.y) / lq_nail_side(nail)
                           : INFINITY;
        track->nail = *nail;
        track->alpha_at = (size_t)(nail->alpha - tracked->alpha.data);
        lq_template_init(&track->template, update->picture, nail);
        tracked->nails.count++;
    }
    lq_track_separate_fingers(update, &tracked->nails);
    if (size)
        memcpy(tracker->alpha.data, tracked->alpha.data, size);
    lq_tip_agree(&tracked->nails); // only for display: tracks keep their own estimates
    for (int k = 0, i = 0; k < update->count; k++) {
        struct lq_track *track = &tracker->tracks[update->steps[k].track];
        if (track->shown)
            lq_track_turn_slowly(track, &tracked->nails.items[i++], &update->steps[k],
                                 update->dt_s);
    }
    return LQ_OK;
}

// The detected nails, with ids. keep: update the tracks.
static int name(struct lq_tracker *tracker, const struct lq_nails *found, const int *match,
                uint64_t time_us, bool keep, struct lq_tracked *tracked)
{
    size_t size = 0;
    for (int i = 0; i < found->count; i++)
        size += found->items[i].alpha_stride * (size_t)found->items[i].crop.height;
    int status = lq_buf_resize(&tracked->alpha, size);
    if (status != LQ_OK)
        return status;
    for (int t = 0; keep && t < tracker->count; t++)
        tracker->tracks[t].shown = false;
    uint8_t *alpha = tracked->alpha.data;
    for (int i = 0; i < found->count; i++) {
        struct lq_nail *nail = &tracked->nails.items[tracked->nails.count++];
        int at = match[i] >= 0 || !keep ? match[i] : lq_track_new(tracker, time_us);
        *nail = found->items[i];
        nail->id = at >= 0 ? tracker->tracks[at].id : lq_track_next_id(tracker);
        lq_track_copy_rows(nail, &nail->crop, alpha, nail->alpha_stride);
        nail->alpha = alpha;
        alpha += nail->alpha_stride * (size_t)nail->crop.height;
        if (keep) {
            tracker->tracks[at].nail = *nail;
            tracker->tracks[at].found_us = time_us;
            tracker->tracks[at].found_count++;
            tracker->tracks[at].border_count = LQ_BORDER_FINDS;
        }
    }
    return LQ_OK;
}

// Intervals vary, so they are averaged; a much longer one is a pause and does not count.
static void note_interval(struct lq_tracker *tracker, uint64_t time_us)
{
    uint64_t passed_us = time_us - tracker->detected_us;
    if (tracker->width == 0 || passed_us > INTERVAL_US_MAX)
        tracker->interval_us = 0;
    else
        tracker->interval_us =
            tracker->interval_us ? (3 * tracker->interval_us + passed_us) / 4 : passed_us;
}

// update: tracker, picture, time and region are set; the rest is filled in.
static int run(struct lq_track_update *update, const struct lq_nails *found, bool smooth,
               struct lq_tracked *tracked)
{
    struct lq_tracker *tracker = update->tracker;
    const struct lq_image *picture = update->picture;
    const uint64_t time_us = update->time_us;
    int match[LQ_NAILS_MAX];
    if (!tracker->tracks)
        tracker->tracks = calloc(LQ_TRACKS_MAX, sizeof *tracker->tracks);
    if (!tracker->tracks)
        return LQ_ERR_MEMORY;
    bool late = tracker->width > 0 && time_us < tracker->last_us;
    if (!late)
        forget_old(tracker, picture, time_us);
    lq_track_match(tracker, found, match);
    if (late)
        return name(tracker, found, match, time_us, false, tracked);
    bool first = is_first(tracker, picture);
    update->dt_s = first ? 0.0f : (float)(time_us - tracker->last_us) * 1e-6f;
    update->detect_s = first ? 0.0f : (float)(time_us - tracker->detected_us) * 1e-6f;
    note_interval(tracker, time_us);
    tracker->last_us = tracker->detected_us = time_us;
    tracker->propagated_count = 0;
    if (!update->region || lq_region_is_whole(update->region, picture)) {
        tracker->whole_us = time_us;
        tracker->lost = false;
    }
    tracker->smooth = smooth;
    tracker->width = picture->width;
    tracker->height = picture->height;
    mark_matched(tracker, match, found->count, time_us);
    if (!smooth)
        return name(tracker, found, match, time_us, true, tracked);
    lq_track_plan(update, found, match);
    return show(update, tracked);
}

int lq_tracker_update(struct lq_tracker *tracker, const struct lq_image *picture,
                      const struct lq_nails *found, uint64_t time_us, bool smooth,
                      struct lq_tracked *tracked)
{
    struct lq_track_update update = {.tracker = tracker, .picture = picture, .time_us = time_us};
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = run(&update, found, smooth, tracked);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}

int lq_tracker_update_region(struct lq_tracker *tracker, const struct lq_image *picture,
                             const struct lq_pixel_box *box, const struct lq_nails *found,
                             uint64_t time_us, struct lq_tracked *tracked)
{
    struct lq_track_update update = {
        .tracker = tracker, .picture = picture, .time_us = time_us, .region = box};
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = run(&update, found, true, tracked);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}

// Whether this is the next frame of the same video, soon enough that the last one is still useful.
static bool follows(const struct lq_tracker *tracker, const struct lq_image *picture,
                    uint64_t time_us)
{
    return tracker->tracks && tracker->smooth && !is_first(tracker, picture) &&
           time_us >= tracker->last_us &&
           time_us - tracker->detected_us <= lq_track_hold_us(tracker);
}

static enum lq_region_kind place_region(const struct lq_tracker *tracker,
                                        const struct lq_image *picture, uint64_t time_us,
                                        struct lq_pixel_box *box)
{
    uint64_t hold_us = lq_track_hold_us(tracker);
    uint64_t region_us = hold_us > LQ_REGION_US ? hold_us : LQ_REGION_US;
    bool due = follows(tracker, picture, time_us) && !tracker->lost &&
               time_us - tracker->whole_us <= region_us;
    return due ? lq_track_region(tracker, picture, time_us, box) : LQ_REGION_NONE;
}

enum lq_region_kind lq_tracker_region(struct lq_tracker *tracker, const struct lq_image *picture,
                                      uint64_t time_us, struct lq_pixel_box *box)
{
    pthread_mutex_lock(&tracker->lock);
    enum lq_region_kind kind = place_region(tracker, picture, time_us, box);
    pthread_mutex_unlock(&tracker->lock);
    return kind;
}

bool lq_tracker_shows(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t time_us)
{
    bool shows = false;
    pthread_mutex_lock(&tracker->lock);
    bool lately = !is_first(tracker, picture) &&
                  time_us <= tracker->detected_us + lq_track_hold_us(tracker);
    for (int t = 0; lately && t < tracker->count; t++)
        shows = shows || tracker->tracks[t].shown;
    pthread_mutex_unlock(&tracker->lock);
    return shows;
}

static int propagate(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t time_us,
                     struct lq_tracked *tracked, bool *propagated)
{
    float dt_s = (float)(time_us - tracker->last_us) * 1e-6f;
    struct lq_track_update update = {tracker, picture, time_us, dt_s, 0.0f, NULL, 0, {{0}}};
    *propagated = follows(tracker, picture, time_us) &&
                  tracker->propagated_count < LQ_PROPAGATED_FRAMES_MAX &&
                  lq_track_plan_propagated(&update);
    if (!*propagated)
        return LQ_OK;
    tracker->last_us = time_us;
    tracker->propagated_count++;
    return show(&update, tracked);
}

int lq_tracker_propagate(struct lq_tracker *tracker, const struct lq_image *picture,
                         uint64_t time_us, struct lq_tracked *tracked, bool *propagated)
{
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = propagate(tracker, picture, time_us, tracked, propagated);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}
