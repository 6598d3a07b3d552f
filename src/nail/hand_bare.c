// Fingers of a still's hands on which no nail was found, and the nails that a closer look finds.
#include <math.h>

#include "nail/hands.h"
#include "nail/tip.h"

static const float OTHER = 0.5f; // a nail is where another one's middle is so many nails away
static const float SAME = 0.6f;  // fingertips that lie so many bones apart are one
// So far from the expected place may the nail lie: in bones, or in nails if the bone points at the
// camera and looks short.
static const float REACH_BONES = 0.7f, REACH_NAILS = 1.0f;
static const float LIKE_MIN = 0.25f, LIKE_MAX = 1.6f; // its length, compared with the hand's others

static float distance(struct lq_point a, struct lq_point b)
{
    return hypotf(a.x - b.x, a.y - b.y);
}

// The mean length of the nails on this hand.
static float nail_length(const struct lq_hand_match *match, const struct lq_nails *nails)
{
    float sum = 0.0f;
    int count = 0;
    for (int i = 0; i < nails->count; i++)
        if (match->finger[i] >= 0) {
            sum += lq_nail_side(&nails->items[i]);
            count++;
        }
    return sum / (float)(count > 0 ? count : 1);
}

static bool has_nail(const struct lq_hand_match *match, const struct lq_nails *nails, int finger)
{
    for (int i = 0; i < nails->count; i++)
        if (match->finger[i] == finger)
            return true;
    return false;
}

static bool is_free(const struct lq_nails *nails, struct lq_point place, float length)
{
    for (int i = 0; i < nails->count; i++) {
        struct lq_point center = {nails->items[i].center_x, nails->items[i].center_y};
        if (distance(center, place) < OTHER * length)
            return false;
    }
    return true;
}

static bool is_inside(struct lq_point place, const struct lq_image *picture)
{
    return place.x >= 0.0f && place.y >= 0.0f && place.x < (float)picture->width &&
           place.y < (float)picture->height;
}

// The bare fingers of one hand, where the picture shows them, or where the mirrored picture does,
// if that is elsewhere. Returns their number.
static int fingers_of(struct lq_bare_finger *fingers, const struct lq_hand_finder *finder, int hand,
                      bool mirrored, const struct lq_image *picture, const struct lq_nails *nails)
{
    const struct lq_hand_sight *sight = &finder->sights[hand];
    const struct lq_hand_match *match = &sight->candidate.match;
    float length = nail_length(match, nails);
    int count = 0;
    for (int f = 0; f < LQ_HAND_FINGERS; f++) {
        struct lq_hand_bone straight = lq_hand_last_bone(&sight->candidate.hand, f);
        struct lq_hand_bone bone = mirrored ? lq_hand_last_bone(&sight->mirrored_hand, f)
                                            : straight;
        if (has_nail(match, nails, f) || !is_inside(bone.nail, picture) ||
            !is_free(nails, bone.nail, length) ||
            (mirrored && distance(bone.nail, straight.nail) < SAME * straight.length))
            continue;
        fingers[count++] = (struct lq_bare_finger){
            hand, f, bone.nail, bone.way, length,
            fmaxf(REACH_BONES * bone.length, REACH_NAILS * length)};
    }
    return count;
}

int lq_hand_bare_fingers(const struct lq_hand_finder *finder, const struct lq_image *picture,
                         const struct lq_nails *nails, struct lq_bare_finger *fingers)
{
    int count = 0;
    for (int mirrored = 0; mirrored < 2; mirrored++)
        for (int h = 0; h < finder->sight_count; h++) {
            const struct lq_hand_sight *sight = &finder->sights[h];
            if (!lq_hand_is_weak(&sight->candidate) &&
                (!mirrored || sight->mirrored_hand.presence >= LQ_HAND_PRESENT))
                count += fingers_of(fingers + count, finder, h, mirrored, picture, nails);
        }
    return count;
}

// The nail nearest to the expected place that may be the missing one; NULL: none.
static const struct lq_nail *nearest(const struct lq_nails *seen, const struct lq_bare_finger *bare)
{
    const struct lq_nail *best = NULL;
    float best_distance = bare->reach;
    for (int i = 0; i < seen->count; i++) {
        const struct lq_nail *nail = &seen->items[i];
        float away = distance((struct lq_point){nail->center_x, nail->center_y}, bare->nail);
        float length = lq_nail_side(nail);
        if (away < best_distance && length > LIKE_MIN * bare->length &&
            length < LIKE_MAX * bare->length) {
            best = nail;
            best_distance = away;
        }
    }
    return best;
}

// Whether the nail's middle is on one of the others.
static bool is_among(const struct lq_nails *nails, const struct lq_nail *nail)
{
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *other = &nails->items[i];
        if (hypotf(nail->center_x - other->center_x, nail->center_y - other->center_y) <
            OTHER * lq_nail_side(other))
            return true;
    }
    return false;
}

void lq_hand_add_nail(struct lq_hand_finder *finder, struct lq_nails *nails,
                      const struct lq_bare_finger *bare, const struct lq_nails *seen)
{
    struct lq_hand_sight *sight = &finder->sights[bare->hand];
    struct lq_hand_match *match = &sight->candidate.match;
    const struct lq_nail *nail = nearest(seen, bare);
    int at = nails->count;
    if (!nail || at == LQ_NAILS_MAX || is_among(nails, nail) ||
        has_nail(match, nails, bare->finger))
        return;
    nails->items[nails->count++] = *nail;
    for (int h = 0; h < finder->sight_count; h++)
        finder->sights[h].candidate.match.finger[at] = finder->sights[h].mirrored.finger[at] = -1;
    match->finger[at] = sight->mirrored.finger[at] = bare->finger;
    match->tip[at] = sight->mirrored.tip[at] = bare->way;
    lq_hand_apply(&sight->candidate, &sight->mirrored, nails);
    lq_tip_agree(nails);
}
