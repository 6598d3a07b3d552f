#include "nail/finger.h"

#include <math.h>
#include <string.h>

#include "nail/hand.h"

enum { HAND = 5, CLASSIFIED_MIN = 4, ORDERED_MIN = 4, UNKNOWN_MAX = 1, MEASURES = 4,
       HYPOTHESES_MAX = 2 * (1 + HAND) * 5 };

static const float PALM = 8.0f; // behind the fingers' nails, in nail sizes
// Measurements of one nail are not independent: their log odds get this weight.
static const float TRUST = 0.6f, PAIR_UNKNOWN = -10.0f, STRANGE_MAX = 9.0f;
// Log odds of an order that nails of an open hand often have, and by how much another one is less
// likely. A curled hand or a lone thumb lies in no usual order, and says nothing.
static const float USUAL_ORDER = 1.5f, REVERSED = 2.0f;

// The position of one finger's nail relative to the previous finger's: across (away from the thumb)
// and along (towards the tips) in nail sizes, rotation away from the thumb (radians), size ratio
// (e-folds). Medians and spreads (1.7 median deviations) over 703 hands rendered by train/synth,
// seed 7, measured with the axes of lq_tip_estimate.
struct step {
    float median[MEASURES], spread[MEASURES];
};
static const struct step STEPS[HAND][HAND] = {
    [0][1] = {{2.74f, 5.76f, -0.03f, 0.19f}, {3.18f, 2.36f, 0.63f, 0.41f}},
    [0][2] = {{2.85f, 5.13f, -0.89f, 0.28f}, {2.85f, 5.89f, 1.79f, 0.41f}},
    [1][2] = {{3.72f, 1.20f, 0.21f, -0.04f}, {1.45f, 1.62f, 0.40f, 0.21f}},
    [1][3] = {{9.37f, 0.66f, 0.38f, 0.04f}, {4.01f, 5.59f, 0.84f, 0.34f}},
    [2][3] = {{2.97f, -0.78f, 0.09f, 0.03f}, {1.46f, 1.56f, 0.30f, 0.13f}},
    [2][4] = {{7.55f, -4.56f, 0.24f, -0.31f}, {3.81f, 2.54f, 0.49f, 0.32f}},
    [3][4] = {{2.07f, -2.45f, 0.06f, -0.33f}, {1.24f, 1.49f, 0.43f, 0.18f}},
};
// Logarithm of the share of hands on which exactly one nail is hidden, by that nail's finger; and
// of those with all five.
static const float MISSING[HAND] = {-1.1f, -4.1f, -5.5f, -5.2f, -3.0f}, ALL = -1.5f;

struct pose {
    float x, y, tip_x, tip_y, size;
};

// One assignment of fingers to nails.
struct hypothesis {
    int finger[HAND]; // of each nail of the hand
    float odds;       // logarithm
};

static float size_of(const struct lq_nail *nail)
{
    return sqrtf((float)nail->area);
}

static struct pose pose_of(const struct lq_nail *nail)
{
    float x = nail->tip_known ? nail->axis_x : nail->tip_x;
    float y = nail->tip_known ? nail->axis_y : nail->tip_y;
    float length = fmaxf(hypotf(x, y), 1e-6f);
    return (struct pose){nail->center_x, nail->center_y, x / length, y / length,
                         fmaxf(size_of(nail), 1.0f)};
}

static float middle_size(const struct pose *const *row, int count)
{
    float sizes[HAND] = {0};
    for (int i = 0; i < count; i++) {
        int j = i;
        for (; j > 0 && sizes[j - 1] > row[i]->size; j--)
            sizes[j] = sizes[j - 1];
        sizes[j] = row[i]->size;
    }
    return 0.5f * (sizes[(count - 1) / 2] + sizes[count / 2]);
}

// The coordinate frame in which a hand's nails are measured.
struct hand_frame {
    float up_x, up_y; // unit vector to where the fingers point
    float side;       // +1 or -1: the side of it on which the row of nails continues
    float size;       // of a nail, pixels
};

// Log odds that these nails, starting at the thumb's side, are those of `fingers`.
static float log_odds(const struct pose *const *row, const int *fingers, int count,
                   const struct hand_frame *frame)
{
    float up_x = frame->up_x, up_y = frame->up_y, side = frame->side, size = frame->size;

    float odds = 0.0f;
    for (int i = 0; i + 1 < count; i++) {
        const struct pose *p = row[i], *q = row[i + 1];
        const struct step *step = &STEPS[fingers[i]][fingers[i + 1]];
        if (step->spread[0] == 0.0f) {
            odds += PAIR_UNKNOWN;
            continue;
        }
        float x = q->x - p->x, y = q->y - p->y;
        float turn = atan2f(p->tip_x * q->tip_y - p->tip_y * q->tip_x,
                            p->tip_x * q->tip_x + p->tip_y * q->tip_y);
        float measured[MEASURES] = {side * (up_x * y - up_y * x) / size,
                                    (up_x * x + up_y * y) / size, side * turn,
                                    logf(q->size / p->size)};
        float strange = 0.0f;
        for (int k = 0; k < MEASURES; k++) {
            float off = (measured[k] - step->median[k]) / step->spread[k];
            strange += fminf(off * off, STRANGE_MAX);
            odds -= logf(step->spread[k]);
        }
        odds -= 0.5f * strange;
    }
    return odds;
}

// The frame of a row of nails; the caller sets its side.
static struct hand_frame frame_of(const struct pose *const *row, int count)
{
    struct hand_frame frame = {.size = middle_size(row, count)};
    for (int i = 0; i < count; i++) {
        frame.up_x += row[i]->tip_x;
        frame.up_y += row[i]->tip_y;
    }
    float length = fmaxf(hypotf(frame.up_x, frame.up_y), 1e-6f);
    frame.up_x /= length;
    frame.up_y /= length;
    return frame;
}

// Sorts by the angle as seen from the palm, which also works for a bent row.
static void sort_round(const struct pose **row, int count, float palm_x, float palm_y, float side)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0; j--) {
            const struct pose *p = row[j - 1], *q = row[j];
            if (side * ((p->x - palm_x) * (q->y - palm_y) - (p->y - palm_y) * (q->x - palm_x)) >=
                0.0f)
                break;
            row[j] = p;
            row[j - 1] = q;
        }
}

// Makes all hypotheses with nail `thumb` (-1: none) as the thumb, in both directions.
static int make_hypotheses(const struct pose *hand, int count, int thumb,
                           struct hypothesis *hypotheses)
{
    const struct pose *row[HAND];
    int made = 0, from = thumb >= 0, n = from;
    float mean_x = 0.0f, mean_y = 0.0f;
    if (thumb < 0 && count == HAND)
        return 0;
    for (int i = 0; i < count; i++)
        if (i != thumb) {
            row[n++] = &hand[i];
            mean_x += hand[i].x;
            mean_y += hand[i].y;
        }
    mean_x /= (float)(n - from);
    mean_y /= (float)(n - from);
    struct hand_frame frame = frame_of(row + from, n - from);
    float palm_x = mean_x - PALM * frame.size * frame.up_x;
    float palm_y = mean_y - PALM * frame.size * frame.up_y;
    if (from)
        row[0] = &hand[thumb];
    for (int side = -1; side <= 1; side += 2) {
        frame.side = (float)side;
        sort_round(row + from, n - from, palm_x, palm_y, frame.side);
        int first = count == HAND ? HAND : from ? 1 : 0, last = count == HAND ? HAND : from ? 4 : 0;
        for (int missing = first; missing <= last; missing++) {
            int fingers[HAND] = {0}, m = 0;
            for (int f = 0; f < HAND; f++)
                if (f != missing)
                    fingers[m++] = f;
            struct hypothesis *hypothesis = &hypotheses[made++];
            hypothesis->odds = TRUST * ((count == HAND ? ALL : MISSING[missing]) +
                                        log_odds(row, fingers, count, &frame));
            for (int i = 0; i < count; i++)
                hypothesis->finger[row[i] - hand] = fingers[i];
        }
    }
    return made;
}

// The nails of a match from the thumb on; returns how many.
static int row_of_match(const struct lq_nails *nails, const struct lq_hand_match *match,
                        struct pose hand[HAND], int fingers[HAND])
{
    int count = 0;
    for (int f = 0; f < HAND; f++)
        for (int i = 0; i < nails->count; i++)
            if (match->finger[i] == f && count < HAND) {
                const struct lq_nail *nail = &nails->items[i];
                hand[count] = (struct pose){nail->center_x, nail->center_y, match->tip[i].x,
                                            match->tip[i].y, fmaxf(size_of(nail), 1.0f)};
                fingers[count++] = f;
            }
    return count;
}

bool lq_finger_order_is_reversed(const struct lq_nails *nails, const struct lq_hand_match *match)
{
    struct pose hand[HAND];
    const struct pose *row[HAND], *back[HAND];
    int fingers[HAND], opposite[HAND];
    int count = row_of_match(nails, match, hand, fingers);
    if (count < ORDERED_MIN)
        return false;
    for (int i = 0; i < count; i++) {
        row[i] = back[count - 1 - i] = &hand[i];
        opposite[count - 1 - i] = HAND - 1 - fingers[i];
    }
    struct hand_frame frame = frame_of(row, count);
    float across = frame.up_x * (row[count - 1]->y - row[0]->y) -
                   frame.up_y * (row[count - 1]->x - row[0]->x);
    frame.side = across < 0.0f ? -1.0f : 1.0f;
    float named = log_odds(row, fingers, count, &frame);
    frame.side = -frame.side;
    float other = log_odds(back, opposite, count, &frame);
    return other > USUAL_ORDER && other - named > REVERSED;
}

static void classify_hand(struct lq_nails *nails, const int *members, int count)
{
    struct pose hand[HAND];
    struct hypothesis hypotheses[HYPOTHESES_MAX];
    int made = 0;
    float most = -INFINITY, whole = 0.0f;
    for (int i = 0; i < count; i++)
        hand[i] = pose_of(&nails->items[members[i]]);
    for (int thumb = -1; thumb < count; thumb++)
        made += make_hypotheses(hand, count, thumb, hypotheses + made);
    for (int g = 0; g < made; g++)
        most = fmaxf(most, hypotheses[g].odds);
    for (int g = 0; g < made; g++)
        whole += expf(hypotheses[g].odds - most);
    for (int g = 0; g < made; g++)
        for (int i = 0; i < count; i++)
            nails->items[members[i]].finger_share[hypotheses[g].finger[i]] +=
                expf(hypotheses[g].odds - most) / whole;
}

// Distance of two nails for grouping, in nail sizes: larger if they point in different directions.
static float apart(const struct lq_nail *a, const struct lq_nail *b)
{
    float size = fmaxf(0.5f * (size_of(a) + size_of(b)), 1.0f);
    float alike = a->tip_x * b->tip_x + a->tip_y * b->tip_y;
    return hypotf(a->center_x - b->center_x, a->center_y - b->center_y) / size *
           (1.25f - 0.25f * alike);
}

// Groups the nearest first (single linkage); no group is larger than a hand.
static void group(const struct lq_nails *nails, int hand_of[LQ_NAILS_MAX])
{
    int size[LQ_NAILS_MAX];
    for (int i = 0; i < nails->count; i++) {
        hand_of[i] = i;
        size[i] = 1;
    }
    for (;;) {
        float least = LQ_FINGER_REACH;
        int into = -1, from = -1;
        for (int i = 0; i < nails->count; i++)
            for (int j = i + 1; j < nails->count; j++) {
                int a = hand_of[i], b = hand_of[j];
                if (a == b || size[a] + size[b] > HAND)
                    continue;
                float off = apart(&nails->items[i], &nails->items[j]);
                if (off < least) {
                    least = off;
                    into = a;
                    from = b;
                }
            }
        if (into < 0)
            return;
        size[into] += size[from];
        for (int i = 0; i < nails->count; i++)
            if (hand_of[i] == from)
                hand_of[i] = into;
    }
}

void lq_finger_choose(struct lq_nail *nail, float share_min)
{
    int best = 0;
    for (int f = 1; f < HAND; f++)
        if (nail->finger_share[f] > nail->finger_share[best])
            best = f;
    nail->finger = nail->finger_share[best] >= share_min
                       ? (enum lq_finger)(LQ_FINGER_THUMB + best)
                       : LQ_FINGER_UNKNOWN;
}

void lq_finger_classify(struct lq_nails *nails)
{
    int hand_of[LQ_NAILS_MAX];
    group(nails, hand_of);
    for (int i = 0; i < nails->count; i++)
        memset(nails->items[i].finger_share, 0, sizeof(nails->items[i].finger_share));
    for (int h = 0; h < nails->count; h++) {
        int members[HAND], count = 0, known = 0;
        for (int i = 0; i < nails->count; i++)
            if (hand_of[i] == h) {
                known += nails->items[i].tip_known;
                members[count++] = i;
            }
        if (count >= CLASSIFIED_MIN && known >= count - UNKNOWN_MAX)
            classify_hand(nails, members, count);
    }
    for (int i = 0; i < nails->count; i++)
        lq_finger_choose(&nails->items[i], LQ_FINGER_CONFIDENCE);
}
