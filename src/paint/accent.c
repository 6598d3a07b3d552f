#include "paint/accent.h"

#include <math.h>
#include <stdlib.h>

#include "paint/extend.h"

// A nail's position on the line through its hand's nails.
struct place {
    int index;
    float along;
};

static int by_place(const void *a, const void *b)
{
    float x = ((const struct place *)a)->along, y = ((const struct place *)b)->along;
    return (x > y) - (x < y);
}

// Sorts the nails along the main axis of their centres, from left to right in the picture.
static void sort_across(const struct lq_nails *nails, struct place *hand, int count)
{
    float x = 0.0f, y = 0.0f, xx = 0.0f, xy = 0.0f, yy = 0.0f;
    for (int i = 0; i < count; i++) {
        x += nails->items[hand[i].index].center_x / (float)count;
        y += nails->items[hand[i].index].center_y / (float)count;
    }
    for (int i = 0; i < count; i++) {
        float dx = nails->items[hand[i].index].center_x - x;
        float dy = nails->items[hand[i].index].center_y - y;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    float turn = 0.5f * atan2f(2.0f * xy, xx - yy), cx = cosf(turn), cy = sinf(turn);
    for (int i = 0; i < count; i++)
        hand[i].along = nails->items[hand[i].index].center_x * cx +
                        nails->items[hand[i].index].center_y * cy;
    qsort(hand, (size_t)count, sizeof *hand, by_place);
}

static void assign_in_order(const struct place *hand, int count, enum lq_finger *worn)
{
    static const enum lq_finger first[] = {[2] = LQ_FINGER_MIDDLE, [3] = LQ_FINGER_INDEX,
                                           [4] = LQ_FINGER_INDEX, [5] = LQ_FINGER_THUMB};
    bool reversed = count == LQ_FINGERS && hand[count - 1].along - hand[count - 2].along >
                                               hand[1].along - hand[0].along;
    for (int i = 0; i < count; i++)
        worn[hand[reversed ? count - 1 - i : i].index] =
            (enum lq_finger)((int)first[count] + i);
}

void lq_accent_choose(const struct lq_look *look, const struct lq_nails *nails,
                      enum lq_finger worn[LQ_NAILS_MAX])
{
    int hands[LQ_NAILS_MAX];
    for (int i = 0; i < nails->count; i++)
        worn[i] = nails->items[i].finger;
    if (!look->has_own)
        return;
    int hand_count = lq_extend_hands(nails, hands);
    for (int which = 0; which < hand_count; which++) {
        struct place hand[LQ_NAILS_MAX];
        int count = 0, known = 0;
        for (int i = 0; i < nails->count; i++) {
            if (hands[i] != which)
                continue;
            known += nails->items[i].finger != LQ_FINGER_UNKNOWN;
            hand[count++].index = i;
        }
        if (known || count < 2 || count > LQ_FINGERS)
            continue;
        sort_across(nails, hand, count);
        assign_in_order(hand, count, worn);
    }
}
