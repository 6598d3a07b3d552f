// A drawn hand: matching of nails and fingertips, the crop to find it again, and nails' directions.
#include "unit/nail/drawn_hand.h"

static void each_nail_finds_its_finger(void **state)
{
    (void)state;
    static const int order[LQ_HAND_FINGERS] = {3, 0, 4, 1, 2};
    for (int k = 0; k < 8; k++) {
        struct lq_hand hand = draw(0.7854f * (float)k);
        struct lq_nails nails = {.count = LQ_HAND_FINGERS};
        bool on[LQ_NAILS_MAX] = {true, true, true, true, true};
        struct lq_hand_match match;
        for (int i = 0; i < LQ_HAND_FINGERS; i++)
            nails.items[i] = nail_on(&hand, order[i]);
        lq_hand_match(&hand, &nails, on, &match);
        assert_int_equal(match.count, LQ_HAND_FINGERS);
        assert_true(match.value > 4.5f);
        for (int i = 0; i < LQ_HAND_FINGERS; i++) {
            assert_int_equal(match.finger[i], order[i]);
            assert_true(match.tip[i].x * nails.items[i].axis_x +
                        match.tip[i].y * nails.items[i].axis_y < -0.99f);
        }
    }
}

static void nails_elsewhere_are_on_no_finger(void **state)
{
    (void)state;
    struct lq_hand hand = draw(0);
    struct lq_nails nails = {.count = 3};
    bool on[LQ_NAILS_MAX] = {true, true, false};
    struct lq_hand_match match;
    nails.items[0] = nail_on(&hand, 1);
    nails.items[1] = nail_on(&hand, 2);
    nails.items[1].center_y += 200; // on the sleeve
    nails.items[2] = nail_on(&hand, 3); // does not count
    lq_hand_match(&hand, &nails, on, &match);
    assert_int_equal(match.count, 1);
    assert_int_equal(match.finger[0], 1);
    assert_int_equal(match.finger[1], -1);
    assert_int_equal(match.finger[2], -1);
    // Of two nails at one fingertip, the nearer one belongs to it.
    nails.items[1] = nail_on(&hand, 1);
    nails.items[0].center_x += 9;
    lq_hand_match(&hand, &nails, on, &match);
    assert_int_equal(match.finger[1], 1);
    assert_int_not_equal(match.finger[0], 1);
}

// A nail across a finger matches it with less confidence than one along it.
static void a_long_nail_lies_along_its_finger(void **state)
{
    (void)state;
    struct lq_hand hand = draw(0);
    struct lq_nails nails = {.count = 1};
    bool on[LQ_NAILS_MAX] = {true};
    struct lq_hand_match along, across;
    nails.items[0] = nail_on(&hand, 2);
    lq_hand_match(&hand, &nails, on, &along);
    float x = nails.items[0].axis_x;
    nails.items[0].axis_x = -nails.items[0].axis_y;
    nails.items[0].axis_y = x;
    lq_hand_match(&hand, &nails, on, &across);
    assert_true(across.value < 0.5f * along.value);
}

static void the_crop_turns_with_the_hand(void **state)
{
    (void)state;
    struct lq_hand upright = draw(0);
    struct lq_hand_crop first = lq_hand_crop_of(&upright);
    for (int k = 1; k < 12; k++) {
        float turn = 0.5236f * (float)k;
        struct lq_hand hand = draw(turn);
        struct lq_hand_crop crop = lq_hand_crop_of(&hand);
        assert_float_equal(remainderf(crop.turn - first.turn - turn, 6.2831853f), 0, 1e-3);
        assert_float_equal(crop.size, first.size, 0.1);
        float x = first.center.x - 200, y = first.center.y - 300;
        assert_float_equal(crop.center.x, 200 + cosf(turn) * x - sinf(turn) * y, 0.1);
        assert_float_equal(crop.center.y, 300 + sinf(turn) * x + cosf(turn) * y, 0.1);
    }
}

static void a_nail_turns_to_its_finger(void **state)
{
    (void)state;
    // Long and nearly along the finger: keeps its own axis, pointing to the fingertip.
    struct lq_nail nail = {.axis_x = 0, .axis_y = 1, .length = 20, .width = 10};
    lq_hand_turn(&nail, (struct lq_point){0.2f, -0.98f});
    assert_float_equal(nail.axis_x, 0, 1e-6);
    assert_float_equal(nail.axis_y, -1, 1e-6);
    assert_float_equal(nail.length, 20, 1e-4);
    // Broad: turned along the finger, with length and width exchanged.
    nail = (struct lq_nail){.axis_x = 1, .axis_y = 0, .length = 20, .width = 10};
    lq_hand_turn(&nail, (struct lq_point){0, -1});
    assert_float_equal(nail.axis_y, -1, 1e-6);
    assert_float_equal(nail.length, 10, 1e-4);
    assert_float_equal(nail.width, 20, 1e-4);
    // Round: turned along the finger, with the same size.
    nail = (struct lq_nail){.axis_x = 0.6f, .axis_y = 0.8f, .length = 10, .width = 10};
    lq_hand_turn(&nail, (struct lq_point){1, 0});
    assert_float_equal(nail.axis_x, 1, 1e-6);
    assert_float_equal(nail.length, 10, 1e-4);
    assert_float_equal(nail.width, 10, 1e-4);
}

// Landmarks may confuse the little finger with the thumb, and the ring finger with the index; the
// nails' positions and sizes decide.
static void a_hand_with_reversed_landmarks_is_named_correctly(void **state)
{
    (void)state;
    static const int areas[LQ_HAND_FINGERS] = {110, 100, 104, 98, 52};
    for (int wrong = 0; wrong < 2; wrong++)
        for (int k = 0; k < 8; k++) {
            struct lq_hand hand = draw(0.7854f * (float)k);
            struct lq_nails nails = {.count = 4};
            struct lq_hand_candidate candidate = {.match.count = 4, .score = 4};
            struct lq_hand_match *match = &candidate.match;
            for (int i = 0; i < 4; i++) { // index to little finger
                nails.items[i] = nail_on(&hand, i + 1);
                nails.items[i].area = areas[i + 1];
                match->tip[i] = (struct lq_point){-nails.items[i].axis_x, -nails.items[i].axis_y};
                match->finger[i] = wrong ? 3 - i : i + 1;
            }
            lq_hand_apply(&candidate, match, &nails);
            for (int i = 0; i < 4; i++)
                assert_int_equal(nails.items[i].finger, LQ_FINGER_INDEX + i);
        }
}

// A hand that fits its nails badly still shows where they point.
static void a_weak_hand_names_no_finger(void **state)
{
    (void)state;
    for (int weak = 0; weak < 2; weak++) {
        struct lq_hand hand = draw(0);
        struct lq_nails nails = {.count = 2, .items = {nail_on(&hand, 1), nail_on(&hand, 2)}};
        bool on[LQ_NAILS_MAX] = {true, true};
        struct lq_hand_candidate candidate = {.hand = hand};
        lq_hand_match(&hand, &nails, on, &candidate.match);
        candidate.score = weak ? 0.9f : 1.8f;
        lq_hand_apply(&candidate, &candidate.match, &nails);
        for (int i = 0; i < 2; i++) {
            assert_true(nails.items[i].tip_known && nails.items[i].axis_y < -0.9f);
            assert_int_equal(nails.items[i].finger,
                             weak ? LQ_FINGER_UNKNOWN : LQ_FINGER_INDEX + i);
        }
    }
}

// Where nails are looked for depends on the hand's nails: also on those that a look has added.
static void an_added_nail_does_not_change_the_size_of_those_looked_for(void **state)
{
    (void)state;
    const struct lq_image picture = {.width = 400, .height = 400};
    struct lq_hand hand = draw(0);
    struct lq_nails nails = {.count = 2, .items = {nail_on(&hand, 1), nail_on(&hand, 2)}};
    struct lq_nails seen = {.count = 1, .items = {nail_on(&hand, 3)}};
    struct lq_hand_finder finder = {.sight_count = 1};
    struct lq_hand_candidate *candidate = &finder.sights[0].candidate;
    struct lq_bare_finger fingers[LQ_BARE_FINGERS_MAX];
    bool on[LQ_NAILS_MAX] = {true, true};
    candidate->hand = hand;
    candidate->score = 2;
    lq_hand_match(&hand, &nails, on, &candidate->match);
    finder.sights[0].mirrored = candidate->match;
    assert_int_equal(lq_hand_bare_fingers(&finder, &picture, &nails, fingers), 3);
    float length = fingers[0].length;
    int ring = 0;
    while (fingers[ring].finger != 3)
        ring++;
    lq_hand_add_nail(&finder, &nails, &fingers[ring], &seen);
    assert_int_equal(nails.count, 3);
    assert_int_equal(lq_hand_bare_fingers(&finder, &picture, &nails, fingers), 2);
    assert_float_equal(fingers[0].length, length, 1e-3f);
}

// Two hands, one over the other: a nail belongs to the hand whose way it points, not to the nearer.
static void crossed_hands_are_told_apart(void **state)
{
    (void)state;
    static const float xs[] = {590, 489, 293, 107, 441, 136, 249},
                       ys[] = {81, 138, 131, 234, 268, 339, 340};
    enum { RIGHT = 3 }; // so many point to the right, the others to the left
    struct lq_nails nails = {.count = LQ_COUNT(xs)};
    struct lq_hand_search search = {.nails = &nails};
    for (int i = 0; i < nails.count; i++) {
        nails.items[i] = (struct lq_nail){.center_x = xs[i], .center_y = ys[i], .area = 2000,
                                          .tip_x = i < RIGHT ? 0.72f : -0.54f,
                                          .tip_y = i < RIGHT ? 0.54f : 0.72f};
        search.on[i] = true;
    }
    lq_hand_survey(&search);
    lq_hand_limit_to_one(&search);
    for (int i = 1; i < nails.count; i++)
        assert_int_equal(search.on[i] == search.on[0], i < RIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_nail_finds_its_finger),
        cmocka_unit_test(nails_elsewhere_are_on_no_finger),
        cmocka_unit_test(a_long_nail_lies_along_its_finger),
        cmocka_unit_test(the_crop_turns_with_the_hand),
        cmocka_unit_test(a_nail_turns_to_its_finger),
        cmocka_unit_test(a_hand_with_reversed_landmarks_is_named_correctly),
        cmocka_unit_test(a_weak_hand_names_no_finger),
        cmocka_unit_test(an_added_nail_does_not_change_the_size_of_those_looked_for),
        cmocka_unit_test(crossed_hands_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
