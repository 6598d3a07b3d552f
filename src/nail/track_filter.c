// A nail's estimates filtered over time: tip, size and direction.
#include <math.h>

#include "nail/shape.h"
#include "nail/tip.h"
#include "nail/tracks.h"

static const float CONFIDENCE_S = 0.2f;
static const float TIP_S = 0.5f;           // time constant of tips
static const int TIP_LASTING = 8;          // frames after which a lower confidence is enough
static const float TURN_SPEED = 15.7f;     // radians a second: half a turn in 200 ms
static const float TURN_MAX = 0.55f;       // … and in a frame: about 30 degrees
static const float INTERVAL_MIN = 0.8f;    // of the usual time between detections
static const float JUMP = 0.25f;           // of a nail's length and width
static const float AXIS_REST_HZ = 1.2f, AXIS_GAIN = 4.0f; // gain: Hz for each rad/s
static const float SIZE_REST_HZ = 1.2f, SIZE_GAIN = 4.0f; // … for each e-fold/s

// The axis as an angle near the last one: within a full turn if it points to the tip, else within a
// quarter turn, so that it never flips.
static float near_angle(const struct lq_nail *nail, float last)
{
    const float turn = nail->tip_known ? 6.2831853f : 3.14159265f;
    float angle = atan2f(nail->axis_y, nail->axis_x);
    return angle - turn * roundf((angle - last) / turn);
}

// The direction of a nail's finger applies at once, and until the hand has been lost for a while;
// meanwhile the estimate from the nail alone is ignored.
static bool finger_holds(struct lq_track *track, const struct lq_track_step *step, uint64_t now_us)
{
    if (step->found && step->found->on_finger)
        track->on_finger_until_us = now_us + LQ_HAND_LASTING_US;
    return now_us < track->on_finger_until_us;
}

// Low-pass filter of the tip's direction, which rotates with the nail: one wrong frame does not
// turn it round.
static void filter_tip(const struct lq_track *track, struct lq_nail *nail,
                     const struct lq_track_step *step, float dt_s)
{
    if (track->found_count == 0)
        return;
    float turn = step->moved ? step->motion.turn : 0.0f, c = cosf(turn), s = sinf(turn);
    float x = c * track->nail.tip_x - s * track->nail.tip_y;
    float y = s * track->nail.tip_x + c * track->nail.tip_y;
    float share = step->found ? 1.0f - expf(-dt_s / TIP_S) : 0.0f;
    if (nail->on_finger)
        share = step->found && step->found->on_finger ? 1.0f : 0.0f;
    nail->tip_x = x + share * (nail->tip_x - x);
    nail->tip_y = y + share * (nail->tip_y - y);
}

// Orients the nail to its tip; resets its filters if that turns the nail round.
static void face_tip(struct lq_track *track, struct lq_nail *nail)
{
    const struct lq_nail *last = &track->nail;
    bool known = track->found_count > 0 && last->tip_known;
    float confidence_min = known                              ? LQ_TIP_CONFIDENCE_KNOWN
                           : track->found_count >= TIP_LASTING ? LQ_TIP_CONFIDENCE_LASTING
                                                              : LQ_TIP_CONFIDENCE;
    if (nail->on_finger) {
        float length = fmaxf(hypotf(nail->tip_x, nail->tip_y), 1e-3f);
        lq_hand_turn(nail, (struct lq_point){nail->tip_x / length, nail->tip_y / length});
        nail->tip_known = true;
    } else if (nail->awaits_hand && !known)
        nail->tip_known = false;
    else
        lq_tip_face(nail, confidence_min);
    float along = nail->axis_x * cosf(track->angle.value) + nail->axis_y * sinf(track->angle.value);
    if (nail->tip_known ? along < 0.5f : known && fabsf(along) < 0.5f)
        track->angle.begun = track->length.begun = track->width.begun = false;
}

// Whether the nail was elsewhere in the last frame. If its motion is unknown, the hand may have
// turned.
static bool has_jumped(const struct lq_nail *nail, const struct lq_nail *last)
{
    return hypotf(nail->center_x - last->center_x, nail->center_y - last->center_y) >
           JUMP * (last->length + last->width);
}

void lq_track_turn_slowly(struct lq_track *track, struct lq_nail *nail,
                          const struct lq_track_step *step, float dt_s)
{
    bool known = track->shown_x != 0.0f || track->shown_y != 0.0f;
    float whole = nail->tip_known && track->shown_tip ? 6.2831853f : 3.1415927f;
    float moved = step->moved ? step->motion.turn : 0.0f;
    float before = atan2f(track->shown_y, track->shown_x) + moved;
    float turn = atan2f(nail->axis_y, nail->axis_x) - before;
    float most = fminf(TURN_SPEED * dt_s, TURN_MAX);
    turn -= whole * roundf(turn / whole);
    if (known && fabsf(turn) > most) {
        before += turn < 0 ? -most : most;
        lq_hand_turn(nail, (struct lq_point){cosf(before), sinf(before)});
        nail->axis_x = cosf(before);
        nail->axis_y = sinf(before);
        lq_shape_bend(nail);
    }
    track->shown_x = nail->axis_x;
    track->shown_y = nail->axis_y;
    track->shown_tip = nail->tip_known;
}

// Rotation and scale measured in the picture apply at once; only the outlines' changes to them are
// filtered.
static void smooth_frame(struct lq_track *track, struct lq_nail *nail,
                         const struct lq_track_step *step, float dt_s)
{
    if (step->moved) {
        track->angle.value += step->motion.turn;
        track->length.value += logf(1.0f + step->motion.scale);
        track->width.value += logf(1.0f + step->motion.scale);
    }
    float angle = track->angle.begun ? near_angle(nail, track->angle.value)
                                     : atan2f(nail->axis_y, nail->axis_x);
    angle = lq_one_euro_next(&track->angle, angle, dt_s, AXIS_REST_HZ, AXIS_GAIN);
    nail->axis_x = cosf(angle);
    nail->axis_y = sinf(angle);
    nail->length =
        expf(lq_one_euro_next(&track->length, logf(nail->length), dt_s, SIZE_REST_HZ, SIZE_GAIN));
    nail->width =
        expf(lq_one_euro_next(&track->width, logf(nail->width), dt_s, SIZE_REST_HZ, SIZE_GAIN));
}

// Since the nail was shown or detected last. Two frames of a camera may arrive at once after the
// network stalled; the hand moved for longer.
static float seconds_since(const struct lq_track_update *update, const struct lq_track *track)
{
    float seconds = track->shown ? update->dt_s
                                 : (float)(update->time_us - track->found_us) * 1e-6f;
    float least = INTERVAL_MIN * 1e-6f * (float)update->tracker->interval_us;
    return fmaxf(seconds, fmaxf(least, 1e-3f));
}

bool lq_track_measure(struct lq_track_update *update, const struct lq_track_step *step,
                      uint8_t *alpha, struct lq_nail *nail)
{
    struct lq_track *track = &update->tracker->tracks[step->track];
    float before_x = track->nail.center_x, before_y = track->nail.center_y;
    *nail = step->found ? *step->found : track->nail;
    nail->id = track->id;
    nail->crop = step->box;
    nail->alpha = alpha;
    nail->alpha_stride = lq_track_stride(step);
    lq_shape_measure(nail);
    if (nail->area == 0)
        return false;
    lq_shape_trim(nail);
    if (step->found && track->found_count > 0) {
        float share = 1.0f - expf(-update->dt_s / CONFIDENCE_S);
        nail->confidence =
            track->nail.confidence + share * (step->found->confidence - track->nail.confidence);
        nail->edge = track->nail.edge + share * (step->found->edge - track->nail.edge);
        float seconds = seconds_since(update, track);
        track->speed_x = (nail->center_x - before_x) / seconds;
        track->speed_y = (nail->center_y - before_y) / seconds;
    }
    if (!step->moved)
        track->angle.begun = track->length.begun = track->width.begun = false;
    if (!step->moved && has_jumped(nail, &track->nail))
        track->shown_x = track->shown_y = 0.0f;
    nail->on_finger = finger_holds(track, step, update->time_us);
    filter_tip(track, nail, step, update->dt_s);
    face_tip(track, nail);
    lq_track_filter_finger(track, nail, step, update->dt_s);
    smooth_frame(track, nail, step, update->dt_s);
    lq_shape_bend(nail);
    return true;
}
