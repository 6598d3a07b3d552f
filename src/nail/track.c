#include "nail/track.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nail/blend.h"
#include "nail/euro.h"
#include "nail/finger.h"
#include "nail/match.h"
#include "nail/region.h"
#include "nail/shape.h"
#include "nail/tip.h"

static const float KEEP_S = 0.25f;          // an outline's memory
static const float MATCH_MIN = 0.3f, MATCH_GOOD = 0.7f;  // of lq_motion.match
static const float AGREE_MIN = 0.3f, AGREE_GOOD = 0.6f;  // of lq_blend_agreement
static const float COARSE_SHARE = 0.25f;    // of a whole look's outline beside a region's
static const float HELD_MATCH_MIN = 0.6f;   // the picture still shows what was there
static const int HELD_FOUND_MIN = 3;        // what was found less often may have been no nail
static const float CARRIED_MATCH_MIN = 0.8f; // … and surely so
static const float CONFIDENCE_S = 0.2f;
static const float TIP_S = 0.5f;            // over which what is told of tips is averaged
static const int TIP_LASTING = 8;           // frames: less sure will do
static const float FINGER_S = 0.7f;         // … of fingers
static const float AXIS_REST_HZ = 1.2f, AXIS_GAIN = 4.0f;   // gain: Hz for each rad/s
static const float SIZE_REST_HZ = 1.2f, SIZE_GAIN = 4.0f;   // … for each e-fold/s

struct track {
    int id;
    uint64_t found_us;              // when it was last found
    uint64_t closer_us;             // … in a look at a region; 0: never
    uint64_t taken_us;              // when a nail was last matched with it
    int found_count;                // frames; 0: it has no `nail` yet
    float speed_x, speed_y;         // pixels a second
    bool shown;                     // in the last frame: `nail`, `alpha_at` and `glimpse` hold
    struct lq_nail nail;            // as it was shown or, with smooth false, found
    size_t alpha_at;                // of its mask in the tracker's `alpha`
    struct lq_glimpse glimpse;
    struct lq_euro angle, length, breadth; // radians; logarithms of pixels
};

struct lq_tracker {
    pthread_mutex_t lock;
    uint64_t last_us, looked_us; // of the last frame, and of the last whose nails were looked for
    int carried_count;           // frames since looked_us
    uint64_t whole_us;           // of the last frame that was looked at whole
    bool smooth;                 // that one was
    int width, height; // of the last picture; 0: none yet
    int next_id, count;
    struct track *tracks; // LQ_TRACKS_MAX of them; NULL: before the first frame, at rest
    struct lq_buf alpha;   // the masks shown last
    struct lq_buf scratch; // a moved mask and a found one, on the same pixels
};

// What becomes of one nail in this frame.
struct step {
    int track;                   // index
    const struct lq_nail *found; // NULL: held
    bool moved;                  // `motion` says how the last mask comes here
    struct lq_motion motion;
    int box[4];                  // x, y, width, height of its mask
};

struct update {
    struct lq_tracker *tracker;
    const struct lq_image *picture;
    uint64_t time_us;
    float dt_s, look_s;          // since the last frame, since the last that was looked at
    const int *region;           // the part that was looked at; NULL: the whole
    int count;
    struct step steps[LQ_NAILS_MAX];
};

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
    if (!tracker)
        return LQ_ERR_MEMORY;
    pthread_mutex_init(&tracker->lock, NULL);
    tracker->next_id = 1;
    lq_buf_init(&tracker->alpha, (size_t)LQ_PICTURE_PIXELS_MAX * LQ_NAILS_MAX);
    lq_buf_init(&tracker->scratch, (size_t)LQ_PICTURE_PIXELS_MAX * 2);
    *out = tracker;
    return LQ_OK;
}

static void give_back(struct lq_tracker *tracker)
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
    give_back(tracker);
    pthread_mutex_destroy(&tracker->lock);
    free(tracker);
}

void lq_tracker_rest(struct lq_tracker *tracker)
{
    if (pthread_mutex_trylock(&tracker->lock) != 0)
        return;
    give_back(tracker);
    pthread_mutex_unlock(&tracker->lock);
}

static int take_id(struct lq_tracker *tracker)
{
    int id = tracker->next_id;
    tracker->next_id = id < INT32_MAX ? id + 1 : 1;
    return id;
}

static void forget_old(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t now_us)
{
    int kept = 0;
    bool other = picture->width != tracker->width || picture->height != tracker->height;
    for (int t = 0; t < tracker->count && !other; t++)
        if (now_us - tracker->tracks[t].found_us <= LQ_NAIL_FORGET_US) {
            if (kept != t)
                tracker->tracks[kept] = tracker->tracks[t];
            kept++;
        }
    tracker->count = kept;
}

static void match_found(const struct lq_tracker *tracker, const struct lq_nails *found,
                        int match[LQ_NAILS_MAX])
{
    struct lq_match_track places[LQ_TRACKS_MAX] = {{0}};
    for (int t = 0; t < tracker->count; t++) {
        const struct lq_nail *nail = &tracker->tracks[t].nail;
        places[t] = (struct lq_match_track){nail->center_x, nail->center_y,
                                            0.5f * (nail->length + nail->breadth)};
    }
    lq_match(places, tracker->count, found, match);
}

// Tracks of this frame must not make room for its new ones.
static void mark_matched(struct lq_tracker *tracker, const int *match, int count, uint64_t time_us)
{
    for (int i = 0; i < count; i++)
        if (match[i] >= 0)
            tracker->tracks[match[i]].taken_us = time_us;
}

// A track for a nail that none fits; the one not seen for longest makes room.
static int new_track(struct lq_tracker *tracker, uint64_t time_us)
{
    int at = tracker->count;
    if (at < LQ_TRACKS_MAX) {
        tracker->count++;
    } else {
        at = 0;
        for (int t = 1; t < LQ_TRACKS_MAX; t++)
            if (tracker->tracks[t].taken_us < tracker->tracks[at].taken_us)
                at = t;
    }
    struct track *track = &tracker->tracks[at];
    track->id = take_id(tracker);
    track->found_count = 0;
    track->closer_us = 0;
    track->taken_us = track->found_us = time_us;
    track->speed_x = track->speed_y = 0.0f;
    track->shown = false;
    track->angle.begun = track->length.begun = track->breadth.begun = false;
    return at;
}

static struct lq_stencil stencil_of(const struct lq_tracker *tracker, const struct track *track)
{
    const struct lq_nail *nail = &track->nail;
    return (struct lq_stencil){nail->x, nail->y, nail->width, nail->height, nail->alpha_stride,
                               tracker->alpha.data + track->alpha_at, nail->center_x,
                               nail->center_y};
}

static void unite(int box[4], const struct lq_nail *nail)
{
    int right = box[0] + box[2], bottom = box[1] + box[3];
    int nail_right = nail->x + nail->width, nail_bottom = nail->y + nail->height;
    box[0] = box[0] < nail->x ? box[0] : nail->x;
    box[1] = box[1] < nail->y ? box[1] : nail->y;
    box[2] = (right > nail_right ? right : nail_right) - box[0];
    box[3] = (bottom > nail_bottom ? bottom : nail_bottom) - box[1];
}

static void plan_found(struct update *update, const struct lq_nail *found, int track_index)
{
    struct lq_tracker *tracker = update->tracker;
    if (track_index < 0)
        track_index = new_track(tracker, update->time_us);
    struct track *track = &tracker->tracks[track_index];
    struct step *step = &update->steps[update->count++];
    *step = (struct step){.track = track_index, .found = found};
    if (track->shown) {
        step->motion = lq_motion_find(&track->glimpse, update->picture,
                                      found->center_x - track->nail.center_x,
                                      found->center_y - track->nail.center_y);
        struct lq_stencil stencil = stencil_of(tracker, track);
        step->moved = step->motion.match > MATCH_MIN &&
                      lq_stencil_moved_box(&stencil, &step->motion, update->picture, step->box);
    }
    if (!step->moved)
        memcpy(step->box, (int[]){found->x, found->y, found->width, found->height},
               sizeof step->box);
    unite(step->box, found);
}

static bool lies_on_found(const struct update *update, float x, float y, float size)
{
    for (int k = 0; k < update->count; k++) {
        const struct lq_nail *found = update->steps[k].found;
        if (found && hypotf(found->center_x - x, found->center_y - y) < 0.5f * size)
            return true;
    }
    return false;
}

// A look at a region says less of what it does not show: that waits for the next at the whole.
static bool lately_found(const struct update *update, const struct track *track)
{
    return update->time_us - track->found_us <= LQ_NAIL_HOLD_US ||
           (update->region && track->found_us >= update->tracker->whole_us);
}

// A nail that was not found may have been missed: it stays while the picture shows it.
static bool plan_held(struct update *update, int track_index)
{
    struct lq_tracker *tracker = update->tracker;
    struct track *track = &tracker->tracks[track_index];
    if (!track->shown || track->found_count < HELD_FOUND_MIN || update->count == LQ_NAILS_MAX ||
        !lately_found(update, track))
        return false;
    struct step *step = &update->steps[update->count];
    *step = (struct step){.track = track_index, .moved = true};
    step->motion = lq_motion_find(&track->glimpse, update->picture, track->speed_x * update->dt_s,
                                  track->speed_y * update->dt_s);
    struct lq_stencil stencil = stencil_of(tracker, track);
    const struct lq_nail *nail = &track->nail;
    if (step->motion.match < HELD_MATCH_MIN ||
        lies_on_found(update, nail->center_x + step->motion.x, nail->center_y + step->motion.y,
                      nail->breadth) ||
        !lq_stencil_moved_box(&stencil, &step->motion, update->picture, step->box))
        return false;
    update->count++;
    return true;
}

static void plan(struct update *update, const struct lq_nails *found, const int *match)
{
    struct lq_tracker *tracker = update->tracker;
    bool seen[LQ_TRACKS_MAX] = {false};
    int before = tracker->count;
    for (int i = 0; i < found->count; i++) {
        if (update->region && lq_region_cuts(update->region, update->picture, &found->items[i]))
            continue;
        plan_found(update, &found->items[i], match[i]);
        seen[update->steps[update->count - 1].track] = true;
    }
    for (int t = 0; t < before; t++)
        if (!seen[t] && !plan_held(update, t))
            tracker->tracks[t].shown = false;
}

static float ramp(float value, float from, float to)
{
    float t = (value - from) / (to - from);
    return t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
}

// How much of a found outline is taken: all where the last one cannot be trusted any more.
static float share_of(const struct update *update, const struct step *step, float agreement)
{
    const struct track *track = &update->tracker->tracks[step->track];
    float keep = expf(-update->look_s / KEEP_S) * ramp(step->motion.match, MATCH_MIN, MATCH_GOOD);
    if (!update->region && track->closer_us && update->time_us - track->closer_us <= LQ_NAIL_HOLD_US)
        return COARSE_SHARE * (1.0f - keep);
    keep *= ramp(agreement, AGREE_MIN, AGREE_GOOD);
    float sure = step->found->confidence / fmaxf(track->nail.confidence, 0.05f);
    return (1.0f - keep) * fminf(fmaxf(sure, 0.3f), 1.0f);
}

static void copy_rows(const struct lq_nail *nail, const int box[4], uint8_t *out, size_t stride)
{
    memset(out, 0, stride * (size_t)box[3]);
    out += (size_t)(nail->y - box[1]) * stride + (size_t)(nail->x - box[0]);
    for (int y = 0; y < nail->height; y++)
        memcpy(out + (size_t)y * stride, nail->alpha + (size_t)y * nail->alpha_stride,
               (size_t)nail->width);
}

static size_t stride_of(const struct step *step)
{
    return ((size_t)step->box[2] + 15) & ~(size_t)15;
}

// Draws the nail's mask: the found one, the last one moved, or both blended.
static int draw(struct update *update, const struct step *step, uint8_t *out)
{
    struct lq_tracker *tracker = update->tracker;
    const int *box = step->box;
    size_t stride = stride_of(step), n = stride * (size_t)box[3];
    if (!step->moved) {
        copy_rows(step->found, box, out, stride);
        return LQ_OK;
    }
    struct lq_stencil stencil = stencil_of(tracker, &tracker->tracks[step->track]);
    int status = lq_buf_resize(&tracker->scratch, 2 * n);
    if (status != LQ_OK)
        return status;
    uint8_t *moved = tracker->scratch.data, *found = moved + n;
    memset(moved, 0, n);
    lq_stencil_move(&stencil, &step->motion, box[0], box[1], box[2], box[3], moved, stride);
    if (!step->found) {
        lq_blend(moved, moved, out, n, 0.0f, lq_blend_softening(&step->motion));
        return LQ_OK;
    }
    copy_rows(step->found, box, found, stride);
    lq_blend(moved, found, out, n, share_of(update, step, lq_blend_agreement(moved, found, n)),
             lq_blend_softening(&step->motion));
    return LQ_OK;
}

// The axis as an angle near the last: a whole turn's worth where it points to the tip, else within
// a quarter turn, so that it never flips.
static float near_angle(const struct lq_nail *nail, float last)
{
    const float turn = nail->tip_known ? 6.2831853f : 3.14159265f;
    float angle = atan2f(nail->axis_y, nail->axis_x);
    return angle - turn * roundf((angle - last) / turn);
}

// Where frames together say that the tip lies: it turns with the nail, and one frame's error does
// not turn it round.
static void vote_tip(const struct track *track, struct lq_nail *nail, const struct step *step,
                     float dt_s)
{
    if (track->found_count == 0)
        return;
    float turn = step->moved ? step->motion.turn : 0.0f, c = cosf(turn), s = sinf(turn);
    float x = c * track->nail.tip_x - s * track->nail.tip_y;
    float y = s * track->nail.tip_x + c * track->nail.tip_y;
    float share = step->found ? 1.0f - expf(-dt_s / TIP_S) : 0.0f;
    nail->tip_x = x + share * (nail->tip_x - x);
    nail->tip_y = y + share * (nail->tip_y - y);
}

// Likewise which finger it is on; where a frame shows too little of the hand, the last ones count.
static void vote_finger(const struct track *track, struct lq_nail *nail, const struct step *step,
                        float dt_s)
{
    if (track->found_count == 0)
        return;
    float now = 0.0f, before = 0.0f;
    for (int f = 0; f < LQ_FINGER_COUNT - 1; f++) {
        now += step->found ? step->found->finger_share[f] : 0.0f;
        before += track->nail.finger_share[f];
    }
    float share = !(now > 0.0f) ? 0.0f : before > 0.0f ? 1.0f - expf(-dt_s / FINGER_S) : 1.0f;
    for (int f = 0; f < LQ_FINGER_COUNT - 1; f++) {
        float last = track->nail.finger_share[f];
        nail->finger_share[f] = last + share * (nail->finger_share[f] - last);
    }
    lq_finger_choose(nail, track->nail.finger != LQ_FINGER_UNKNOWN ? LQ_FINGER_STILL_SURE
                                                                   : LQ_FINGER_SURE);
}

// Turns the nail to its tip; begins its frame anew where that turns it round.
static void face_tip(struct track *track, struct lq_nail *nail)
{
    const struct lq_nail *last = &track->nail;
    bool known = track->found_count > 0 && last->tip_known;
    bool lasting = track->found_count >= TIP_LASTING;
    lq_tip_face(nail, known ? LQ_TIP_STILL_SURE : lasting ? LQ_TIP_LASTING_SURE : LQ_TIP_SURE);
    float along = nail->axis_x * cosf(track->angle.value) + nail->axis_y * sinf(track->angle.value);
    if (nail->tip_known ? along < 0.5f : known && fabsf(along) < 0.5f)
        track->angle.begun = track->length.begun = track->breadth.begun = false;
}

// What the picture itself showed of turning and growing is taken at once; only what the outlines
// add to that is filtered.
static void smooth_frame(struct track *track, struct lq_nail *nail, const struct step *step,
                         float dt_s)
{
    if (step->moved) {
        track->angle.value += step->motion.turn;
        track->length.value += logf(1.0f + step->motion.scale);
        track->breadth.value += logf(1.0f + step->motion.scale);
    }
    float angle = track->angle.begun ? near_angle(nail, track->angle.value)
                                     : atan2f(nail->axis_y, nail->axis_x);
    angle = lq_euro_next(&track->angle, angle, dt_s, AXIS_REST_HZ, AXIS_GAIN);
    nail->axis_x = cosf(angle);
    nail->axis_y = sinf(angle);
    nail->length = expf(lq_euro_next(&track->length, logf(nail->length), dt_s, SIZE_REST_HZ,
                                     SIZE_GAIN));
    nail->breadth = expf(lq_euro_next(&track->breadth, logf(nail->breadth), dt_s, SIZE_REST_HZ,
                                      SIZE_GAIN));
}

// The nail as it is shown, from its mask; false when nothing of it is left.
static bool measure(struct update *update, const struct step *step, uint8_t *alpha,
                    struct lq_nail *nail)
{
    struct track *track = &update->tracker->tracks[step->track];
    float before_x = track->nail.center_x, before_y = track->nail.center_y;
    *nail = step->found ? *step->found : track->nail;
    nail->id = track->id;
    nail->x = step->box[0];
    nail->y = step->box[1];
    nail->width = step->box[2];
    nail->height = step->box[3];
    nail->alpha = alpha;
    nail->alpha_stride = stride_of(step);
    lq_shape_measure(nail);
    if (nail->area == 0)
        return false;
    lq_shape_trim(nail);
    if (step->found && track->found_count > 0) {
        float share = 1.0f - expf(-update->dt_s / CONFIDENCE_S);
        nail->confidence = track->nail.confidence +
                           share * (step->found->confidence - track->nail.confidence);
        float seconds = track->shown ? update->dt_s
                                     : (float)(update->time_us - track->found_us) * 1e-6f;
        track->speed_x = (nail->center_x - before_x) / fmaxf(seconds, 1e-3f);
        track->speed_y = (nail->center_y - before_y) / fmaxf(seconds, 1e-3f);
    }
    if (!step->moved)
        track->angle.begun = track->length.begun = track->breadth.begun = false;
    vote_tip(track, nail, step, update->dt_s);
    face_tip(track, nail);
    vote_finger(track, nail, step, update->dt_s);
    smooth_frame(track, nail, step, update->dt_s);
    lq_shape_bend(nail);
    return true;
}

static int show(struct update *update, struct lq_tracked *tracked)
{
    struct lq_tracker *tracker = update->tracker;
    size_t offset[LQ_NAILS_MAX], size = 0;
    for (int k = 0; k < update->count; k++) {
        offset[k] = size;
        size += stride_of(&update->steps[k]) * (size_t)update->steps[k].box[3];
    }
    int status = lq_buf_resize(&tracked->alpha, size);
    for (int k = 0; status == LQ_OK && k < update->count; k++)
        status = draw(update, &update->steps[k], tracked->alpha.data + offset[k]);
    if (status == LQ_OK)
        status = lq_buf_resize(&tracker->alpha, size);
    if (status != LQ_OK)
        return status;
    for (int k = 0; k < update->count; k++) {
        const struct step *step = &update->steps[k];
        struct track *track = &tracker->tracks[step->track];
        struct lq_nail *nail = &tracked->nails.items[tracked->nails.count];
        track->shown = measure(update, step, tracked->alpha.data + offset[k], nail);
        if (!track->shown)
            continue;
        if (step->found) {
            track->found_us = update->time_us;
            track->closer_us = update->region ? update->time_us : track->closer_us;
            track->found_count++;
        }
        track->nail = *nail;
        track->alpha_at = (size_t)(nail->alpha - tracked->alpha.data);
        lq_glimpse_take(&track->glimpse, update->picture, nail);
        tracked->nails.count++;
    }
    if (size)
        memcpy(tracker->alpha.data, tracked->alpha.data, size);
    lq_tip_agree(&tracked->nails); // for show: the tracks keep what they know themselves
    return LQ_OK;
}

// The nails as they were found, with ids. keep: tracks go on from here.
static int name(struct lq_tracker *tracker, const struct lq_nails *found, const int *match,
                uint64_t time_us, bool keep, struct lq_tracked *tracked)
{
    size_t size = 0;
    for (int i = 0; i < found->count; i++)
        size += found->items[i].alpha_stride * (size_t)found->items[i].height;
    int status = lq_buf_resize(&tracked->alpha, size);
    if (status != LQ_OK)
        return status;
    for (int t = 0; keep && t < tracker->count; t++)
        tracker->tracks[t].shown = false;
    uint8_t *alpha = tracked->alpha.data;
    for (int i = 0; i < found->count; i++) {
        struct lq_nail *nail = &tracked->nails.items[tracked->nails.count++];
        int at = match[i] >= 0 || !keep ? match[i] : new_track(tracker, time_us);
        *nail = found->items[i];
        nail->id = at >= 0 ? tracker->tracks[at].id : take_id(tracker);
        copy_rows(nail, (int[]){nail->x, nail->y, nail->width, nail->height}, alpha,
                  nail->alpha_stride);
        nail->alpha = alpha;
        alpha += nail->alpha_stride * (size_t)nail->height;
        if (keep) {
            tracker->tracks[at].nail = *nail;
            tracker->tracks[at].found_us = time_us;
            tracker->tracks[at].found_count++;
        }
    }
    return LQ_OK;
}

static int run(struct lq_tracker *tracker, const struct lq_image *picture,
               const struct lq_nails *found, uint64_t time_us, bool smooth, const int *region,
               struct lq_tracked *tracked)
{
    int match[LQ_NAILS_MAX];
    if (!tracker->tracks)
        tracker->tracks = calloc(LQ_TRACKS_MAX, sizeof *tracker->tracks);
    if (!tracker->tracks)
        return LQ_ERR_MEMORY;
    bool late = tracker->width > 0 && time_us < tracker->last_us;
    if (!late)
        forget_old(tracker, picture, time_us);
    match_found(tracker, found, match);
    if (late)
        return name(tracker, found, match, time_us, false, tracked);
    bool first = tracker->width == 0;
    float dt_s = first ? 0.0f : (float)(time_us - tracker->last_us) * 1e-6f;
    float look_s = first ? 0.0f : (float)(time_us - tracker->looked_us) * 1e-6f;
    tracker->last_us = tracker->looked_us = time_us;
    tracker->carried_count = 0;
    if (!region)
        tracker->whole_us = time_us;
    tracker->smooth = smooth;
    tracker->width = picture->width;
    tracker->height = picture->height;
    mark_matched(tracker, match, found->count, time_us);
    if (!smooth)
        return name(tracker, found, match, time_us, true, tracked);
    struct update update = {tracker, picture, time_us, dt_s, look_s, region, 0, {{0}}};
    plan(&update, found, match);
    return show(&update, tracked);
}

int lq_tracker_update(struct lq_tracker *tracker, const struct lq_image *picture,
                      const struct lq_nails *found, uint64_t time_us, bool smooth,
                      struct lq_tracked *tracked)
{
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = run(tracker, picture, found, time_us, smooth, NULL, tracked);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}

int lq_tracker_update_region(struct lq_tracker *tracker, const struct lq_image *picture,
                             const int box[4], const struct lq_nails *found, uint64_t time_us,
                             struct lq_tracked *tracked)
{
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = run(tracker, picture, found, time_us, true, box, tracked);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}

// The next frame of the same film, soon enough that what the last showed is still of use.
static bool follows(const struct lq_tracker *tracker, const struct lq_image *picture,
                    uint64_t time_us)
{
    return tracker->tracks && tracker->smooth && picture->width == tracker->width &&
           picture->height == tracker->height && time_us >= tracker->last_us &&
           time_us - tracker->looked_us <= LQ_NAIL_HOLD_US;
}

static bool place_region(const struct lq_tracker *tracker, const struct lq_image *picture,
                         uint64_t time_us, int box[4])
{
    struct lq_region region = {0};
    if (!follows(tracker, picture, time_us) ||
        time_us - tracker->whole_us > LQ_REGION_US)
        return false;
    float dt_s = (float)(time_us - tracker->last_us) * 1e-6f;
    for (int t = 0; t < tracker->count; t++) {
        const struct track *track = &tracker->tracks[t];
        if (track->shown)
            lq_region_add(&region, &track->nail, track->speed_x * dt_s, track->speed_y * dt_s);
    }
    return lq_region_place(&region, picture, box);
}

bool lq_tracker_region(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t time_us,
                       int box[4])
{
    pthread_mutex_lock(&tracker->lock);
    bool closer = place_region(tracker, picture, time_us, box);
    pthread_mutex_unlock(&tracker->lock);
    return closer;
}


// All nails shown last, or none: who was lost may have come back elsewhere.
static bool plan_carried(struct update *update)
{
    struct lq_tracker *tracker = update->tracker;
    for (int t = 0; t < tracker->count; t++)
        if (tracker->tracks[t].shown &&
            (!plan_held(update, t) ||
             update->steps[update->count - 1].motion.match < CARRIED_MATCH_MIN))
            return false;
    return true;
}

static int carry(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t time_us,
                 struct lq_tracked *tracked, bool *carried)
{
    float dt_s = (float)(time_us - tracker->last_us) * 1e-6f;
    struct update update = {tracker, picture, time_us, dt_s, 0.0f, NULL, 0, {{0}}};
    *carried = follows(tracker, picture, time_us) &&
               tracker->carried_count < LQ_CARRY_FRAMES_MAX && plan_carried(&update);
    if (!*carried)
        return LQ_OK;
    tracker->last_us = time_us;
    tracker->carried_count++;
    return show(&update, tracked);
}

int lq_tracker_carry(struct lq_tracker *tracker, const struct lq_image *picture, uint64_t time_us,
                     struct lq_tracked *tracked, bool *carried)
{
    tracked->nails.count = 0;
    pthread_mutex_lock(&tracker->lock);
    int status = carry(tracker, picture, time_us, tracked, carried);
    pthread_mutex_unlock(&tracker->lock);
    return status;
}
