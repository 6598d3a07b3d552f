// Tracking from frame to frame: ids, steady outlines, directions and fingers.
#include "nail/finger.h"
#include "unit/nail/tracked_hand.h"

static void ids_follow_a_moving_hand(void **state)
{
    (void)state;
    int ids[NAILS];
    uint64_t now = 1000;
    // Irregular intervals, a jump of a whole finger's width, nails detected in another order.
    static const float xs[] = {0, 3, 9, 12, 60, 64, 58};
    for (size_t f = 0; f < LQ_COUNT(xs); f++) {
        draw_picture(xs[f], 0);
        find_all(xs[f], 0);
        if (f == 3) {
            struct lq_nail first = found.items[0];
            found.items[0] = found.items[4];
            found.items[4] = first;
        }
        update(now, f != 5);
        assert_int_equal(tracked.nails.count, NAILS);
        for (int i = 0; i < NAILS; i++) {
            const struct lq_nail *nail = &tracked.nails.items[i];
            int k = (int)lroundf((nail->center_x - place_x(0, xs[f])) / 55);
            if (f == 0)
                ids[k] = nail->id;
            assert_int_equal(nail->id, ids[k]);
        }
        now += FRAME_US * (1 + f % 3);
    }
}

// Between two frames each nail moves differently, some onto the place of another; one is hidden.
static void ids_follow_a_hand_that_turns(void **state)
{
    (void)state;
    const float turn = 0.5f;
    draw_picture(0, 0);
    find_all(0, 0);
    update(0, true);
    int ids[NAILS];
    for (int k = 0; k < NAILS; k++)
        ids[k] = tracked.nails.items[k].id;
    found.count = 0;
    for (int k = 1; k < NAILS; k++) { // turned round the last one, which moves on
        float off = place_x(k, 0) - place_x(NAILS - 1, 0);
        find(k, 0, 0, off * (cosf(turn) - 1) + 50, off * sinf(turn) + 20);
    }
    update(4 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, NAILS - 1);
    for (int i = 0; i < tracked.nails.count; i++)
        assert_int_equal(tracked.nails.items[i].id, ids[i + 1]);
}

static void noise_is_smoothed_without_lag(void **state)
{
    (void)state;
    uint32_t seed = 8;
    double raw = 0, shown = 0, trailing = 0;
    float last_raw = 0, last_shown = 0;
    for (int f = 0; f < 60; f++) {
        float x = 2.5f * (float)f, noise = (float)(unit_random(&seed) % 1000) / 500 - 1; // a pixel
        draw_picture(x, 0);
        found.count = 0;
        find(0, x, 0, noise, 0);
        update((uint64_t)f * FRAME_US, true);
        assert_int_equal(tracked.nails.count, 1);
        float off = tracked.nails.items[0].center_x - place_x(0, x);
        if (f > 5) {
            raw += fabsf(noise - last_raw);
            shown += fabsf(off - last_shown);
            trailing += off;
        }
        last_raw = noise;
        last_shown = off;
    }
    print_message("change a frame: %.3f px found, %.3f px shown; trails by %.3f px of 2.5\n",
                  raw / 54, shown / 54, -trailing / 54);
    assert_true(shown < raw / 3);
    assert_true(fabs(trailing / 54) < 0.3);
}

static void a_still_picture_stays_as_it_is(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0.3f, 0.6f);
    for (int f = 0; f < 10; f++) {
        update((uint64_t)f * FRAME_US, true);
        for (int k = 0; k < NAILS; k++) {
            const struct lq_nail *a = &tracked.nails.items[k], *b = &found.items[k];
            for (int y = 0; y < a->crop.height; y++)
                assert_memory_equal(a->alpha + (size_t)y * a->alpha_stride,
                                    b->alpha + (size_t)(a->crop.y - b->crop.y + y) * CROP +
                                        (a->crop.x - b->crop.x),
                                    (size_t)a->crop.width);
        }
    }
}

static void without_smoothing_only_ids_are_kept(void **state)
{
    (void)state;
    for (int f = 0; f < 4; f++) {
        float noise = f % 2 ? 0.8f : -0.8f;
        draw_picture(0, 0);
        found.count = 0;
        find(0, 0, 0, noise, 0);
        update((uint64_t)f * FRAME_US, false);
        assert_int_equal(tracked.nails.items[0].id, 1);
        assert_float_equal(tracked.nails.items[0].center_x, found.items[0].center_x, 1e-6f);
    }
    found.count = 0;
    update(4 * FRAME_US, false);
    assert_int_equal(tracked.nails.count, 0);
}

static void a_late_frame_changes_nothing(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0, 0);
    update(10 * FRAME_US, true);
    int id = tracked.nails.items[0].id;
    draw_picture(8, 0);
    find_all(8, 0);
    update(9 * FRAME_US, true);
    assert_int_equal(tracked.nails.items[0].id, id);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 8), 0.05f);
    draw_picture(0, 0);
    find_all(0, 0);
    update(11 * FRAME_US, true);
    assert_int_equal(tracked.nails.items[0].id, id);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 0), 0.05f);
}

static void another_size_begins_anew(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0, 0);
    update(0, true);
    int last = tracked.nails.items[NAILS - 1].id;
    picture.width = W - 2;
    update(FRAME_US, true);
    assert_int_equal(tracked.nails.items[0].id, last + 1);
}

// What a hand has shown of a nail that is gone is not true of the next one.
static void a_new_nail_has_no_hand(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_all(0, 0);
        for (int i = 0; i < found.count; i++) {
            found.items[i].on_finger = f < 3;
            found.items[i].awaits_hand = f == 3;
            found.items[i].tip_y = -0.9f;
        }
        picture.width = f < 3 ? W : W - 2; // begins anew
        update((uint64_t)f * FRAME_US, true);
        for (int i = 0; i < NAILS; i++) {
            assert_int_equal(tracked.nails.items[i].on_finger, f < 3);
            assert_int_equal(tracked.nails.items[i].tip_known, f < 3);
        }
    }
}

// After the network stalled, two frames arrive at once: the hand is not that much faster.
static void frames_that_arrive_together_lose_no_nail(void **state)
{
    (void)state;
    uint64_t now = 0;
    for (int f = 0; f < 8; f++) {
        draw_picture(5 * (float)f, 0);
        find_all(5 * (float)f, 0);
        if (f == 7)
            found.count = 0; // missed
        update(now, true);
        assert_int_equal(tracked.nails.count, NAILS);
        now += f == 5 ? 500 : FRAME_US;
    }
}

static void many_nails_come_and_go(void **state)
{
    (void)state;
    uint32_t seed = 77;
    draw_picture(0, 0);
    for (int f = 0; f < 400; f++) {
        found.count = 0;
        find(0, 0, 0, 0, 0);
        struct lq_nail model = found.items[0];
        found.count = (int)(unit_random(&seed) % (LQ_NAILS_MAX + 1));
        for (int i = 0; i < found.count; i++) {
            struct lq_nail *nail = &found.items[i];
            *nail = model;
            // nails at the border are not shown at once
            nail->crop.x = 2 + (int)(unit_random(&seed) % (W - CROP - 4));
            nail->crop.y = 2 + (int)(unit_random(&seed) % (H - CROP - 4));
            lq_shape_measure(nail);
        }
        update((uint64_t)f * FRAME_US, f % 50 < 40);
        assert_true(tracked.nails.count >= found.count && tracked.nails.count <= LQ_NAILS_MAX);
        for (int i = 0; i < tracked.nails.count; i++) {
            const struct lq_nail *nail = &tracked.nails.items[i];
            const struct lq_pixel_box *crop = &nail->crop;
            assert_true(nail->id > 0 && crop->x >= 0 && crop->y >= 0 && crop->width > 0);
            assert_true(crop->x + crop->width <= W && crop->y + crop->height <= H);
            assert_true(isfinite(nail->length) && isfinite(nail->axis_x));
            for (int j = 0; j < i; j++)
                assert_int_not_equal(nail->id, tracked.nails.items[j].id);
        }
    }
}

static void set_tips(float tip_y, float share)
{
    for (int i = 0; i < found.count; i++) {
        struct lq_nail *nail = &found.items[i];
        nail->tip_x = 0;
        nail->tip_y = tip_y;
        for (int f = 0; f < LQ_FINGER_COUNT - 1; f++)
            nail->finger_share[f] = f == i ? share : 0;
        lq_finger_choose(nail, LQ_FINGER_CONFIDENCE);
    }
}

static void one_frame_turns_no_nail_round(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 12; f++) {
        find_all(0, 0);
        if (f == 5)
            set_tips(0.9f, 0); // one frame is wrong, and shows too little to name fingers
        else
            set_tips(-0.9f, f == 6 ? 0.4f : 0.95f);
        update((uint64_t)f * FRAME_US, true);
        for (int i = 0; i < NAILS; i++) {
            assert_true(tracked.nails.items[i].tip_known);
            assert_true(tracked.nails.items[i].axis_y < -0.99f);
            assert_int_equal(tracked.nails.items[i].finger, LQ_FINGER_THUMB + i);
        }
    }
    for (int f = 12; f < 60; f++) { // a lasting change counts
        find_all(0, 0);
        set_tips(0.9f, 0.95f);
        update((uint64_t)f * FRAME_US, true);
    }
    assert_true(tracked.nails.items[0].tip_known && tracked.nails.items[0].axis_y > 0.99f);
}

// The hand's direction overrides the nail's own at once, but the nail turns over 200 ms.
static void a_wrong_direction_is_turned_and_does_not_jump(void **state)
{
    (void)state;
    float x = 0, y = -1;
    draw_picture(0, 0);
    for (int f = 0; f < 14; f++) {
        find_all(0, 0);
        set_tips(f < 6 ? -0.9f : 0.9f, 0.95f);
        for (int i = 0; i < found.count; i++)
            found.items[i].on_finger = f >= 6;
        update((uint64_t)f * FRAME_US, true);
        const struct lq_nail *nail = &tracked.nails.items[0];
        assert_true(f == 0 || x * nail->axis_x + y * nail->axis_y > 0.82f); // 35 degrees
        assert_true(nail->length > 20 && nail->width > 20);
        x = nail->axis_x;
        y = nail->axis_y;
        assert_true(f < 12 || y > 0.99f);
    }
}

// Frames of time 0 are as good as later ones, and a nail whose hand is awaited is not shown as its
// appearance suggests, unless it was before.
static void a_direction_waits_for_the_hand(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_all(0, 0);
        set_tips(-0.9f, 0.95f);
        for (int i = 0; i < found.count; i++) {
            found.items[i].on_finger = i == 0 && f == 0;
            found.items[i].awaits_hand = i == 1 ? f < 2 : i == 2 && f > 1;
        }
        update((uint64_t)f * FRAME_US, true);
        assert_int_equal(tracked.nails.items[0].on_finger, true); // it holds for a while
        for (int i = 0; i < NAILS; i++)
            assert_int_equal(tracked.nails.items[i].tip_known, i != 1 || f > 1);
    }
}

// A nail is shown as its neighbours point while its own direction is unknown; when its hand shows
// another one, it turns there over 200 ms as well.
static void a_direction_from_neighbours_is_turned_and_does_not_jump(void **state)
{
    (void)state;
    float x = 0, y = -1;
    draw_picture(0, 0);
    for (int f = 0; f < 14; f++) {
        find_all(0, 0);
        set_tips(-0.9f, 0.95f);
        found.items[0].tip_y = 0;
        found.items[0].tip_x = f < 6 ? 0 : 0.9f;
        found.items[0].on_finger = f >= 6;
        update((uint64_t)f * FRAME_US, true);
        const struct lq_nail *nail = &tracked.nails.items[0];
        assert_true(x * nail->axis_x + y * nail->axis_y > 0.82f); // 35 degrees
        x = nail->axis_x;
        y = nail->axis_y;
    }
    assert_true(x > 0.99f);
}

static void see_finger(struct lq_nail *nail, int finger)
{
    memset(nail->finger_share, 0, sizeof nail->finger_share);
    nail->tip_x = 0;
    nail->tip_y = -0.9f;
    nail->on_finger = finger >= 0;
    if (finger >= 0)
        nail->finger_share[finger] = 0.95f;
    lq_finger_choose(nail, LQ_FINGER_CONFIDENCE);
}

static int finger_at(int k)
{
    for (int i = 0; i < tracked.nails.count; i++)
        if (fabsf(tracked.nails.items[i].center_x - place_x(k, 0)) < 5)
            return (int)tracked.nails.items[i].finger - LQ_FINGER_THUMB;
    return -2;
}

// After a jump, tracks may continue on their neighbours' fingers, where a new nail shows the same.
static void two_nails_of_a_hand_are_on_two_fingers(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 7; f++) {
        found.count = 0;
        for (int k = f < 6; k < NAILS; k++) {
            find(k, 0, 0, 0, 0);
            see_finger(&found.items[found.count - 1], f < 6 ? k - 1 : k);
        }
        update((uint64_t)f * FRAME_US, true);
        for (int k = 1; k < NAILS; k++)
            assert_int_equal(finger_at(k), f < 6 ? k - 1 : k);
    }
    assert_int_equal(finger_at(0), 0);
}

// A hand that this frame did not look at keeps its fingers beside another hand.
static void two_hands_have_two_thumbs(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 12; f++) {
        found.count = 0;
        find(0, 0, 0, 0, 0);
        see_finger(&found.items[0], f < 6 ? 0 : -1);
        if (f > 2) {
            find(1, 0, 0, 0, 0);
            see_finger(&found.items[1], 0);
        }
        update((uint64_t)f * FRAME_US, true);
        assert_int_equal(finger_at(0), 0);
        assert_int_equal(finger_at(1), f > 2 ? 0 : -2);
    }
}

static void see_fingers(const int *fingers, float share, bool by_hand)
{
    find_all(0, 0);
    for (int i = 0; i < found.count; i++) {
        see_finger(&found.items[i], fingers[i]);
        found.items[i].finger_share[fingers[i]] = share;
        found.items[i].on_finger = by_hand;
    }
}

static void assert_fingers(const int *fingers)
{
    for (int i = 0; i < NAILS; i++)
        assert_int_equal(finger_at(i), fingers[i]);
}

static const int IN_ORDER[NAILS] = {0, 1, 2, 3, 4}, OFF_BY_ONE[NAILS] = {1, 2, 3, 4, 0};

// Most frames do not look at the hands. Whatever the nails' arrangement says there, they keep the
// fingers that their hands showed.
static void an_arrangement_takes_no_finger_from_a_hand(void **state)
{
    (void)state;
    const int shown[NAILS] = {0, 1, 0, 1, 2}, arranged[NAILS] = {1, 2, 0, 1, 2};
    draw_picture(0, 0);
    for (int f = 0; f < 24; f++) {
        see_fingers(f == 0 ? shown : arranged, 0.95f, f == 0);
        update((uint64_t)f * FRAME_US, true);
        assert_fingers(shown);
    }
}

static void a_hand_replaces_the_fingers_of_an_arrangement(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 6; f++) {
        see_fingers(f < 4 ? OFF_BY_ONE : IN_ORDER, 0.95f, f == 4);
        update((uint64_t)f * FRAME_US, true);
        assert_fingers(f < 4 ? OFF_BY_ONE : IN_ORDER);
    }
}

// A hand's first crop may show it off by a finger; a later one does not take its names away.
static void one_look_in_five_at_a_hand_may_be_wrong(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 11; f++) {
        see_fingers(f % 5 == 0 ? OFF_BY_ONE : IN_ORDER, f == 2 ? 0.6f : 0.95f, true);
        update((uint64_t)f * FRAME_US, true);
        assert_fingers(f == 0 ? OFF_BY_ONE : IN_ORDER);
    }
}

static void rest_releases_memory_and_resets_tracks(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0, 0);
    lq_tracker_rest(tracker); // nothing to release yet
    update(FRAME_US, true);
    assert_int_equal(tracked.nails.count, NAILS);
    lq_tracker_rest(tracker);
    update(2 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, NAILS);
    for (int i = 0; i < NAILS; i++)
        assert_true(tracked.nails.items[i].id > NAILS); // no id is given twice
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK_TEST(ids_follow_a_moving_hand),
        TRACK_TEST(ids_follow_a_hand_that_turns),
        TRACK_TEST(noise_is_smoothed_without_lag),
        TRACK_TEST(a_still_picture_stays_as_it_is),
        TRACK_TEST(without_smoothing_only_ids_are_kept),
        TRACK_TEST(a_late_frame_changes_nothing),
        TRACK_TEST(another_size_begins_anew),
        TRACK_TEST(one_frame_turns_no_nail_round),
        TRACK_TEST(a_wrong_direction_is_turned_and_does_not_jump),
        TRACK_TEST(a_direction_waits_for_the_hand),
        TRACK_TEST(a_direction_from_neighbours_is_turned_and_does_not_jump),
        TRACK_TEST(two_nails_of_a_hand_are_on_two_fingers),
        TRACK_TEST(two_hands_have_two_thumbs),
        TRACK_TEST(an_arrangement_takes_no_finger_from_a_hand),
        TRACK_TEST(a_hand_replaces_the_fingers_of_an_arrangement),
        TRACK_TEST(one_look_in_five_at_a_hand_may_be_wrong),
        TRACK_TEST(rest_releases_memory_and_resets_tracks),
        TRACK_TEST(a_new_nail_has_no_hand),
        TRACK_TEST(frames_that_arrive_together_lose_no_nail),
        TRACK_TEST(many_nails_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
