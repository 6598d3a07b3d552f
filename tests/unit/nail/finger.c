// Hands as rows of nails: a spread hand, rotated, mirrored, and beside another one.
#include "nail/finger.h"

#include <math.h>

#include "unit/unit.h"

// Thumb to little finger of a spread hand that points up: place and direction in pixels and
// degrees from upwards, and the square root of the nail's area.
static const float HAND[5][4] = {{-80, 95, -30, 24}, {-40, -15, -10, 22}, {0, -35, 0, 21},
                                 {38, -22, 8, 22},   {72, 22, 18, 17}};

static struct lq_nails nails;

// Adds the fingers of `mask`, not in their order on the hand.
static void add_hand(float x, float y, float turn, bool mirrored, unsigned mask)
{
    static const int order[5] = {3, 0, 4, 2, 1};
    float c = cosf(turn), s = sinf(turn);
    for (int k = 0; k < 5; k++) {
        const float *each = HAND[order[k]];
        float px = mirrored ? -each[0] : each[0], angle = each[2] * 0.0174533f;
        float ux = sinf(mirrored ? -angle : angle), uy = -cosf(angle);
        if (!(mask >> order[k] & 1))
            continue;
        struct lq_nail *nail = &nails.items[nails.count++];
        *nail = (struct lq_nail){.id = order[k] + 1, .center_x = x + px * c - each[1] * s,
                                 .center_y = y + px * s + each[1] * c, .axis_x = ux * c - uy * s,
                                 .axis_y = ux * s + uy * c, .tip_known = true,
                                 .area = (int64_t)(each[3] * each[3])};
        nail->tip_x = nail->axis_x;
        nail->tip_y = nail->axis_y;
    }
}

static void assert_named(void)
{
    for (int i = 0; i < nails.count; i++)
        assert_int_equal(nails.items[i].finger, nails.items[i].id);
}

static void a_hand_is_named_in_any_rotation(void **state)
{
    (void)state;
    for (int k = 0; k < 24; k++) {
        nails.count = 0;
        add_hand(300, 200, 0.5236f * (float)(k / 2), k % 2, 31);
        lq_finger_classify(&nails);
        assert_named();
    }
}

static void a_hidden_thumb_leaves_four(void **state)
{
    (void)state;
    nails.count = 0;
    add_hand(300, 200, 0.7f, true, 30);
    lq_finger_classify(&nails);
    for (int i = 0; i < nails.count; i++)
        assert_true(nails.items[i].finger_share[nails.items[i].id - 1] > 0.6f);
}

static void two_hands_are_two(void **state)
{
    (void)state;
    nails.count = 0;
    add_hand(200, 200, 0.0f, false, 31);
    add_hand(600, 240, 0.1f, true, 31);
    lq_finger_classify(&nails);
    assert_int_equal(nails.count, 10);
    assert_named();
}

static void few_or_undirected_nails_stay_unknown(void **state)
{
    (void)state;
    nails.count = 0;
    add_hand(300, 200, 0.0f, false, 14);
    lq_finger_classify(&nails);
    for (int i = 0; i < nails.count; i++)
        assert_int_equal(nails.items[i].finger, LQ_FINGER_UNKNOWN);
    nails.count = 0;
    add_hand(300, 200, 0.0f, false, 31);
    for (int i = 0; i < nails.count; i++)
        nails.items[i].tip_known = false;
    lq_finger_classify(&nails);
    for (int i = 0; i < nails.count; i++)
        assert_int_equal(nails.items[i].finger, LQ_FINGER_UNKNOWN);
    nails.count = 0;
    lq_finger_classify(&nails);
}

static void all_nails_in_one_place_do_no_harm(void **state)
{
    (void)state;
    nails.count = LQ_NAILS_MAX;
    for (int i = 0; i < nails.count; i++)
        nails.items[i] = (struct lq_nail){.tip_known = true, .axis_x = 1};
    lq_finger_classify(&nails);
    for (int i = 0; i < nails.count; i++)
        for (int f = 0; f < LQ_FINGER_COUNT - 1; f++)
            assert_true(isfinite(nails.items[i].finger_share[f]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_is_named_in_any_rotation),
        cmocka_unit_test(a_hidden_thumb_leaves_four),
        cmocka_unit_test(two_hands_are_two),
        cmocka_unit_test(few_or_undirected_nails_stay_unknown),
        cmocka_unit_test(all_nails_in_one_place_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
