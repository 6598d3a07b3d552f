// A drawn hand's landmarks and nails, for the tests of hands.
#pragma once

#include <math.h>
#include <string.h>

#include "nail/hands.h"
#include "unit/unit.h"

// An upright hand 200 pixels high whose wrist is at (200, 300), its thumb to the left; turned
// clockwise about the wrist.
static inline struct lq_hand draw(float turn)
{
    static const float roots[LQ_HAND_FINGERS][2] = {{-60, -60}, {-30, -100}, {-5, -105}, {20, -100},
                                                    {42, -85}};
    static const float bones[LQ_HAND_FINGERS][2] = {{-14, -20}, {-4, -28}, {0, -32}, {4, -28},
                                                    {8, -20}};
    struct lq_hand hand = {.presence = 1};
    float c = cosf(turn), s = sinf(turn);
    for (int f = 0; f < LQ_HAND_FINGERS; f++)
        for (int k = 0; k < 4; k++) {
            float x = roots[f][0] + (float)k * bones[f][0],
                y = roots[f][1] + (float)k * bones[f][1];
            hand.points[1 + 4 * f + k] = (struct lq_point){200 + c * x - s * y,
                                                           300 + s * x + c * y};
        }
    hand.points[LQ_WRIST] = (struct lq_point){200, 300};
    return hand;
}

static inline struct lq_nail nail_on(const struct lq_hand *hand, int finger)
{
    struct lq_point tip = hand->points[LQ_THUMB_TIP + 4 * finger];
    struct lq_point joint = hand->points[LQ_THUMB_IP + 4 * finger];
    float x = tip.x - joint.x, y = tip.y - joint.y, length = hypotf(x, y);
    return (struct lq_nail){.center_x = tip.x - 0.3f * x, .center_y = tip.y - 0.3f * y,
                            .axis_x = -x / length, .axis_y = -y / length, // either way round
                            .length = 14, .width = 9, .area = 100};
}
