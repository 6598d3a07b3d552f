// The search for the hand that some nails belong to.
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "nail/finger.h"
#include "nail/hands.h"
#include "nail/shape.h"

static const float SIZES[LQ_HAND_SIZES] = {12, 8, 18}; // sides of crops, in nails
static const float AHEAD = 0.25f;  // distance of the nails' middle from the crop's
static const float CERTAIN = 0.7f;   // a hand that matches its nails this well is accepted
static const float AGREED = 0.85f;  // cosine: directions of a nail that differ less agree
static const float TURNED = 0.5f; // how much farther nails at right angles are counted apart
static const float CONFIRMED = 0.95f, DOUBTED = 0.6f; // confidence
static const float WEAK = 0.55f; // score for each nail below which a hand names no finger

static float nail_size(const struct lq_nail *nail)
{
    return sqrtf(fmaxf((float)nail->area, 1.0f));
}

void lq_hand_survey(struct lq_hand_search *search)
{
    search->count = 0;
    search->middle = (struct lq_point){0, 0};
    search->size = search->spread = 0;
    for (int i = 0; i < search->nails->count; i++)
        if (search->on[i]) {
            search->middle.x += search->nails->items[i].center_x;
            search->middle.y += search->nails->items[i].center_y;
            search->size += nail_size(&search->nails->items[i]);
            search->count++;
        }
    float n = (float)(search->count > 0 ? search->count : 1);
    search->middle.x /= n;
    search->middle.y /= n;
    search->size /= n;
    for (int i = 0; i < search->nails->count; i++)
        if (search->on[i])
            search->spread = fmaxf(search->spread,
                                   hypotf(search->nails->items[i].center_x - search->middle.x,
                                          search->nails->items[i].center_y - search->middle.y));
}

int lq_hand_run(struct lq_hand_search *search, const struct lq_hand_crop *crop,
                struct lq_hand_candidate *candidate, struct lq_error *err)
{
    const struct lq_hand_limits *limits = search->limits;
    if (limits && limits->pause)
        limits->pause(limits->context);
    if (limits && limits->deadline_us && lq_clock_us() >= limits->deadline_us)
        return lq_fail(err, LQ_ERR_TIMEOUT, "the picture is too old to search its hands");
    int status = lq_landmarker_run(search->finder->landmarker, crop, false, &candidate->hand, err);
    if (status != LQ_OK)
        return status;
    lq_hand_match(&candidate->hand, search->nails, search->on, &candidate->match);
    candidate->score = candidate->match.value * sqrtf(fmaxf(candidate->hand.presence, 0.0f));
    return LQ_OK;
}

void lq_hand_add_candidate(struct lq_hand_search *search, const struct lq_hand_candidate *candidate)
{
    int at = search->best_count;
    if (at == LQ_HAND_BEST && search->best[--at].score >= candidate->score)
        return;
    if (search->best_count < LQ_HAND_BEST)
        search->best_count++;
    for (; at > 0 && search->best[at - 1].score < candidate->score; at--)
        search->best[at] = search->best[at - 1];
    search->best[at] = *candidate;
}

bool lq_hand_is_certain(const struct lq_hand_search *search)
{
    const struct lq_hand_candidate *first = &search->best[0];
    return search->best_count > 0 && first->match.count == search->count &&
           first->score > CERTAIN * (float)search->count;
}

// The direction in which most nails already seem to point: the first rotation to try.
static float first_turn(const struct lq_hand_search *search)
{
    float x = 0, y = 0;
    for (int i = 0; i < search->nails->count; i++)
        if (search->on[i]) {
            x += search->nails->items[i].tip_x;
            y += search->nails->items[i].tip_y;
        }
    return hypotf(x, y) > 1e-3f ? atan2f(x, -y) : 0.0f;
}

static float crop_size(const struct lq_hand_search *search, int size)
{
    return fmaxf(SIZES[size] * search->size, 2.2f * search->spread + 4.0f * search->size);
}

bool lq_hand_crop_at(const struct lq_hand_search *search, int index, struct lq_hand_crop *crop)
{
    int size_index = index / LQ_HAND_TURNS, step = index % LQ_HAND_TURNS;
    float size = crop_size(search, size_index);
    for (int i = 0; i < size_index; i++)
        if (fabsf(size / crop_size(search, i) - 1.0f) < 0.15f)
            return false;
    // 0, +1, -1, +2, … eighths of a turn from the most likely rotation.
    float turn = first_turn(search) +
                 (float)(step % 2 ? (step + 1) / 2 : -step / 2) * 6.2831853f / LQ_HAND_TURNS;
    *crop = (struct lq_hand_crop){{search->middle.x - AHEAD * size * sinf(turn),
                                   search->middle.y + AHEAD * size * cosf(turn)},
                                  size, turn};
    return true;
}

static void name_finger(struct lq_nail *nail, int finger, bool doubted)
{
    memset(nail->finger_share, 0, sizeof nail->finger_share);
    nail->finger_share[finger] = doubted ? DOUBTED : CONFIRMED;
    lq_finger_choose(nail, LQ_FINGER_CONFIDENCE);
}

bool lq_hand_is_weak(const struct lq_hand_candidate *candidate)
{
    return candidate->score < WEAK * (float)candidate->match.count;
}

void lq_hand_apply(const struct lq_hand_candidate *candidate, const struct lq_hand_match *mirrored,
                   struct lq_nails *nails)
{
    const struct lq_hand_match *match = &candidate->match;
    bool reversed = lq_finger_order_is_reversed(nails, match);
    bool weak = lq_hand_is_weak(candidate);
    for (int i = 0; i < nails->count; i++) {
        struct lq_nail *nail = &nails->items[i];
        struct lq_point way = match->tip[i];
        int finger = match->finger[i];
        if (finger < 0)
            continue;
        float agree = way.x * mirrored->tip[i].x + way.y * mirrored->tip[i].y;
        if (mirrored->finger[i] >= 0 && agree < AGREED)
            continue; // the two disagree: keep the direction found without the hand
        lq_hand_turn(nail, way);
        nail->tip_x = CONFIRMED * way.x;
        nail->tip_y = CONFIRMED * way.y;
        nail->tip_known = nail->on_finger = true;
        name_finger(nail, reversed ? LQ_HAND_FINGERS - 1 - finger : finger,
                    weak || mirrored->finger[i] != finger);
        lq_shape_bend(nail);
    }
}

// Distance of two nails: larger if they point in different directions, as far as that is known.
static float apart(const struct lq_nail *a, const struct lq_nail *b)
{
    float alike = a->tip_x * b->tip_x + a->tip_y * b->tip_y;
    return hypotf(a->center_x - b->center_x, a->center_y - b->center_y) *
           (1.0f + TURNED * (1.0f - alike));
}

void lq_hand_limit_to_one(struct lq_hand_search *search)
{
    if (search->count <= LQ_HAND_FINGERS)
        return;
    const struct lq_nail *items = search->nails->items;
    int a = -1, b = -1;
    float farthest = 0;
    for (int i = 0; i < search->nails->count; i++)
        for (int j = 0; j < i; j++) {
            float far = apart(&items[i], &items[j]);
            if (search->on[i] && search->on[j] && far > farthest) {
                farthest = far;
                a = j;
                b = i;
            }
        }
    for (int i = 0; i < search->nails->count && a >= 0; i++)
        if (search->on[i])
            search->on[i] = apart(&items[i], &items[a]) < apart(&items[i], &items[b]);
    lq_hand_survey(search);
}
