// Matches nails with the fingers of a hand, and computes the crop to find that hand again.
#include <math.h>

#include "nail/hands.h"
#include "nail/shape.h"

// Distance of a nail's middle from the fingertip, as a share of the last bone.
static const float NAIL_AT = 0.3f;
// A nail may be this many bone lengths from there. Bones that point at the camera are
// foreshortened.
static const float REACH = 1.2f, BONE_MIN = 0.15f;
// A nail's own axis counts once it is so much longer than broad, and fully a little later.
static const float LONG_FROM = 1.1f, LONG_FULL = 1.5f, AXIS_WEIGHT = 0.7f, AXIS_OFF = 1.05f;

static struct lq_point minus(struct lq_point a, struct lq_point b)
{
    return (struct lq_point){a.x - b.x, a.y - b.y};
}

static float size_of(struct lq_point a)
{
    return hypotf(a.x, a.y);
}

struct lq_hand_bone lq_hand_last_bone(const struct lq_hand *hand, int finger)
{
    struct lq_point tip = hand->points[LQ_THUMB_TIP + 4 * finger];
    struct lq_point way = minus(tip, hand->points[LQ_THUMB_IP + 4 * finger]);
    float palm = size_of(minus(hand->points[LQ_MIDDLE_MCP], hand->points[LQ_WRIST]));
    float length = fmaxf(size_of(way), 1e-3f);
    return (struct lq_hand_bone){{tip.x - NAIL_AT * way.x, tip.y - NAIL_AT * way.y},
                                 {way.x / length, way.y / length},
                                 fmaxf(length, BONE_MIN * palm)};
}

// 0..1: how well a nail fits a finger's last bone; 0 if it is elsewhere.
static float fit(const struct lq_nail *nail, const struct lq_hand_bone *bone)
{
    struct lq_point center = {nail->center_x, nail->center_y};
    float away = size_of(minus(center, bone->nail)) / fmaxf(bone->length, 1e-3f);
    if (!(away < REACH))
        return 0.0f;
    float along = fabsf(nail->axis_x * bone->way.x + nail->axis_y * bone->way.y);
    float off = fminf(acosf(fminf(along, 1.0f)) / AXIS_OFF, 1.0f);
    float lengthy = (nail->length / fmaxf(nail->width, 1e-3f) - LONG_FROM) /
                    (LONG_FULL - LONG_FROM);
    float weight = AXIS_WEIGHT * fminf(fmaxf(lengthy, 0.0f), 1.0f);
    return (1.0f - away / REACH) * (1.0f - weight * off);
}

void lq_hand_match(const struct lq_hand *hand, const struct lq_nails *nails, const bool *on,
                   struct lq_hand_match *match)
{
    struct lq_hand_bone bones[LQ_HAND_FINGERS];
    float fits[LQ_NAILS_MAX][LQ_HAND_FINGERS];
    bool taken[LQ_HAND_FINGERS] = {false};
    *match = (struct lq_hand_match){.count = 0};
    for (int f = 0; f < LQ_HAND_FINGERS; f++)
        bones[f] = lq_hand_last_bone(hand, f);
    for (int i = 0; i < nails->count; i++) {
        match->finger[i] = -1;
        for (int f = 0; f < LQ_HAND_FINGERS; f++)
            fits[i][f] = on[i] ? fit(&nails->items[i], &bones[f]) : 0.0f;
    }
    for (int round = 0; round < LQ_HAND_FINGERS; round++) {
        int nail = -1, finger = -1;
        float best = 0.0f;
        for (int i = 0; i < nails->count; i++)
            for (int f = 0; f < LQ_HAND_FINGERS; f++)
                if (match->finger[i] < 0 && !taken[f] && fits[i][f] > best) {
                    best = fits[i][f];
                    nail = i;
                    finger = f;
                }
        if (nail < 0)
            break;
        taken[finger] = true;
        match->finger[nail] = finger;
        match->tip[nail] = bones[finger].way;
        match->value += best;
        match->count++;
    }
}

// A crop around the palm and the roots of the fingers, turned upright: in tracking, the network was
// trained on such crops (side twice that of the box, centre moved a tenth towards the fingers).
struct lq_hand_crop lq_hand_crop_of(const struct lq_hand *hand)
{
    static const int palm[] = {LQ_WRIST,     LQ_THUMB_CMC,  LQ_THUMB_MCP, LQ_THUMB_IP,
                               LQ_INDEX_MCP, LQ_INDEX_PIP,  LQ_MIDDLE_MCP, LQ_MIDDLE_PIP,
                               LQ_RING_MCP,  LQ_RING_PIP,   LQ_LITTLE_MCP, LQ_LITTLE_PIP};
    const struct lq_point *p = hand->points;
    struct lq_point up = {
        0.25f * (p[LQ_INDEX_MCP].x + p[LQ_RING_MCP].x) + 0.5f * p[LQ_MIDDLE_MCP].x - p[LQ_WRIST].x,
        0.25f * (p[LQ_INDEX_MCP].y + p[LQ_RING_MCP].y) + 0.5f * p[LQ_MIDDLE_MCP].y - p[LQ_WRIST].y};
    float turn = atan2f(up.x, -up.y), c = cosf(turn), s = sinf(turn);
    float low_u = INFINITY, high_u = -INFINITY, low_v = INFINITY, high_v = -INFINITY;
    for (size_t i = 0; i < LQ_COUNT(palm); i++) {
        float x = p[palm[i]].x, y = p[palm[i]].y, u = c * x + s * y, v = c * y - s * x;
        low_u = fminf(low_u, u);
        high_u = fmaxf(high_u, u);
        low_v = fminf(low_v, v);
        high_v = fmaxf(high_v, v);
    }
    float u = 0.5f * (low_u + high_u), v = 0.5f * (low_v + high_v) - 0.1f * (high_v - low_v);
    return (struct lq_hand_crop){{c * u - s * v, s * u + c * v},
                                 2.0f * fmaxf(high_u - low_u, high_v - low_v), turn};
}

void lq_hand_turn(struct lq_nail *nail, struct lq_point tip)
{
    const float near = 0.94f; // the cosine of 20 degrees
    const float lengthy = 1.3f;
    float along = nail->axis_x * tip.x + nail->axis_y * tip.y;
    if (nail->length > lengthy * nail->width && fabsf(along) > near) {
        float sign = along < 0.0f ? -1.0f : 1.0f;
        nail->axis_x *= sign;
        nail->axis_y *= sign;
        return;
    }
    lq_shape_turn(nail, tip.x, tip.y);
}
