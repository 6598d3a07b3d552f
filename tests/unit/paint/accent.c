#include "paint/accent.h"

#include "unit/unit.h"

static struct lq_look with_accent(void)
{
    struct lq_look look = lq_look_default();
    look.has_own = 1u << (LQ_FINGER_RING - LQ_FINGER_THUMB);
    look.own[LQ_FINGER_RING - LQ_FINGER_THUMB] = look.polish;
    return look;
}

// Nails at these places, in any order, all 20 by 14.
static struct lq_nails hand_of(const float (*places)[2], int count)
{
    struct lq_nails nails = {.count = count};
    for (int i = 0; i < count; i++)
        nails.items[i] = (struct lq_nail){.id = i + 1, .center_x = places[i][0], .length = 20,
                                          .center_y = places[i][1], .width = 14};
    return nails;
}

static void nails_take_fingers_in_order(void **state)
{
    (void)state;
    struct lq_look look = with_accent();
    enum lq_finger worn[LQ_NAILS_MAX];
    static const float four[][2] = {{300, 100}, {100, 110}, {170, 90}, {240, 88}};
    struct lq_nails nails = hand_of(four, 4);
    lq_accent_choose(&look, &nails, worn);
    assert_int_equal(worn[1], LQ_FINGER_INDEX);
    assert_int_equal(worn[2], LQ_FINGER_MIDDLE);
    assert_int_equal(worn[3], LQ_FINGER_RING);
    assert_int_equal(worn[0], LQ_FINGER_LITTLE);
    nails.count = 1;
    lq_accent_choose(&look, &nails, worn);
    assert_int_equal(worn[0], LQ_FINGER_UNKNOWN);
}

// A hand on its side, with the thumb apart at its lower end.
static void the_thumb_stands_off(void **state)
{
    (void)state;
    struct lq_look look = with_accent();
    enum lq_finger worn[LQ_NAILS_MAX];
    static const float five[][2] = {{100, 50}, {104, 90}, {106, 130}, {100, 170}, {90, 260}};
    struct lq_nails nails = hand_of(five, 5);
    lq_accent_choose(&look, &nails, worn);
    for (int i = 0; i < 5; i++)
        assert_int_equal(worn[i], LQ_FINGER_LITTLE - i);
}

static void known_fingers_stay(void **state)
{
    (void)state;
    struct lq_look look = with_accent();
    enum lq_finger worn[LQ_NAILS_MAX];
    static const float places[][2] = {{100, 100}, {160, 100}, {220, 100}};
    struct lq_nails nails = hand_of(places, 3);
    nails.items[2].finger = LQ_FINGER_THUMB;
    lq_accent_choose(&look, &nails, worn);
    assert_int_equal(worn[0], LQ_FINGER_UNKNOWN);
    assert_int_equal(worn[2], LQ_FINGER_THUMB);
    // Two groups far apart are separate hands.
    nails = hand_of((const float[][2]){{100, 100}, {160, 100}, {900, 100}, {960, 100}}, 4);
    nails.items[0].finger = LQ_FINGER_INDEX;
    lq_accent_choose(&look, &nails, worn);
    assert_int_equal(worn[1], LQ_FINGER_UNKNOWN);
    assert_int_equal(worn[2], LQ_FINGER_MIDDLE);
    assert_int_equal(worn[3], LQ_FINGER_RING);
    look.has_own = 0;
    lq_accent_choose(&look, &nails, worn);
    assert_int_equal(worn[2], LQ_FINGER_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nails_take_fingers_in_order),
        cmocka_unit_test(the_thumb_stands_off),
        cmocka_unit_test(known_fingers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
