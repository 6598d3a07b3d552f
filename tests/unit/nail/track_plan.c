// Which nails a frame shows: detected, held, propagated, or detected in a region of interest.
#include "unit/nail/tracked_hand.h"

static void a_missed_nail_is_held_for_a_moment(void **state)
{
    (void)state;
    uint64_t now = 0, lost;
    draw_picture(0, 0);
    for (int f = 0; f < 5; f++, now += FRAME_US) {
        find_all(0, 0);
        update(now, true);
    }
    lost = now - FRAME_US;
    int id = tracked.nails.items[2].id, held = 0;
    for (int f = 0; f < 8; f++, now += FRAME_US) {
        found.count = 0;
        for (int k = 0; k < NAILS; k++)
            if (k != 2)
                find(k, 0, 0, 0, 0);
        update(now, true);
        bool there = tracked.nails.count == NAILS;
        assert_true(there || tracked.nails.count == NAILS - 1);
        assert_false(there && now - lost > 100000); // it must not be shown longer
        held += there;
    }
    assert_int_equal(held, 3);
    find_all(0, 0);
    update(now, true);
    assert_int_equal(tracked.nails.items[2].id, id); // it gets its id back
}

static void a_nail_that_left_leaves_no_ghost(void **state)
{
    (void)state;
    for (int f = 0; f < 6; f++) {
        draw_picture(0, 0);
        find_all(0, 0);
        update((uint64_t)f * FRAME_US, true);
    }
    uint32_t seed = 2;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)unit_random(&seed);
    found.count = 0;
    update(6 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, 0); // at once: the picture shows something else
}

// Detects nail 0, cut by the picture's left border.
static void find_cut(float x)
{
    found.count = 0;
    find(0, x, 0, 0, 0);
    struct lq_nail *nail = &found.items[0];
    int off = nail->crop.x < 0 ? -nail->crop.x : 0;
    nail->crop.x += off;
    nail->crop.width -= off;
    nail->alpha += off;
    nail->alpha_stride = CROP;
    lq_shape_measure(nail);
}

// A nail moves out of the picture and in again, 1.5 pixels a frame. Once the border cuts it, the
// network detects it in two frames of five: it must disappear once and reappear once.
static void a_nail_at_the_border_does_not_blink(void **state)
{
    (void)state;
    int changes = 0, seen = 0;
    bool before = true;
    for (int f = 0; f < 110; f++) {
        float x = f < 55 ? -1.5f * (float)f : -1.5f * (float)(110 - f);
        bool cut = place_x(0, x) < 18, gone = place_x(0, x) < -4;
        draw_picture(x, 0);
        find_cut(x);
        if (gone || (cut && f % 5 > 1))
            found.count = 0;
        seen += found.count;
        update((uint64_t)f * FRAME_US, true);
        changes += (tracked.nails.count > 0) != before;
        before = tracked.nails.count > 0;
    }
    assert_true(before && seen < 80);
    assert_int_equal(changes, 2);
}

// A nail that enters over the border has to wait, but not in a video's first frame. A frame after a
// rest is one, whatever its time, and so is one of another size.
static void a_first_frame_shows_nails_at_the_border(void **state)
{
    (void)state;
    draw_picture(-30, 0);
    find_cut(-30);
    found.count = 0;
    update(50 * FRAME_US, true);
    found.count = 1;
    update(51 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, 0);
    lq_tracker_rest(tracker);
    update(20 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, 1);
    picture.width = W - 2;
    update(21 * FRAME_US, true);
    assert_int_equal(tracked.nails.count, 1);
    update(22 * FRAME_US, true);
    assert_int_equal(tracked.nails.items[0].id, 3); // the earlier ones were those of other videos
}

static void a_single_false_find_is_not_held(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0, 0);
    update(0, true);
    found.count = 0;
    update(FRAME_US, true);
    assert_int_equal(tracked.nails.count, 0);
}

static bool propagate(uint64_t time_us)
{
    bool propagated = false;
    assert_ok(lq_tracker_propagate(tracker, &picture, time_us, &tracked, &propagated));
    return propagated;
}

static void find_in_frames(int count)
{
    draw_picture(0, 0);
    for (int f = 0; f < count; f++) {
        find_all(0, 0);
        update((uint64_t)f * FRAME_US, true);
    }
}

static void propagated_nails_follow_the_hand(void **state)
{
    (void)state;
    double off = 0;
    int propagated = 0;
    for (int f = 0; f < 60; f++) {
        float x = 20 * sinf(0.15f * (float)f), y = 12 * sinf(0.11f * (float)f);
        draw_picture(x, y);
        if (f < 3 || !propagate((uint64_t)f * FRAME_US)) {
            find_all(x, y);
            update((uint64_t)f * FRAME_US, true);
            continue;
        }
        assert_int_equal(tracked.nails.count, NAILS);
        for (int i = 0; i < NAILS; i++) {
            const struct lq_nail *nail = &tracked.nails.items[i];
            float at = hypotf(nail->center_x - place_x(i, x), nail->center_y - 100 - y);
            assert_true(at < 1);
            off += at;
        }
        propagated++;
    }
    print_message("%d of 60 frames propagated; off by %.3f px on average\n", propagated,
                  off / (propagated * NAILS));
    assert_int_equal(propagated, 38); // two of each three, after the first three
    assert_true(off / (propagated * NAILS) < 0.3);
}

static void what_cannot_be_propagated_is_left_to_detect(void **state)
{
    (void)state;
    draw_picture(0, 0);
    assert_false(propagate(0)); // nothing is known yet
    find_in_frames(2);
    assert_false(propagate(2 * FRAME_US)); // too few frames yet
    find_in_frames(5);
    assert_false(propagate(3 * FRAME_US)); // older than the last
    picture.width = W - 2;
    assert_false(propagate(5 * FRAME_US)); // another size
    picture.width = W;
    assert_false(propagate(4 * FRAME_US + LQ_NAIL_HOLD_US + 1)); // too long ago
    uint32_t seed = 3; // change one nail's surroundings
    for (int y = 60; y < 140; y++)
        for (int x = 30; x < 75; x++)
            memset(pixels + (y * W + x) * 3, (int)(unit_random(&seed) & 255), 3);
    assert_false(propagate(5 * FRAME_US));
    draw_picture(1, 0);
    assert_true(propagate(5 * FRAME_US)); // failed attempts changed nothing
    assert_int_equal(tracked.nails.items[0].id, 1);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 1), 0.2f);
}

static void unsmoothed_nails_are_not_propagated(void **state)
{
    (void)state;
    find_in_frames(5);
    update(5 * FRAME_US, false);
    assert_false(propagate(6 * FRAME_US));
}

static void an_empty_picture_stays_empty_for_a_moment(void **state)
{
    (void)state;
    draw_picture(0, 0);
    found.count = 0;
    update(0, true);
    for (int f = 1; f <= LQ_PROPAGATED_FRAMES_MAX; f++) {
        assert_true(propagate((uint64_t)f * FRAME_US));
        assert_int_equal(tracked.nails.count, 0);
    }
    assert_false(propagate((LQ_PROPAGATED_FRAMES_MAX + 1) * FRAME_US));
}

static bool region_due(uint64_t time_us, struct lq_pixel_box *box)
{
    return lq_tracker_region(tracker, &picture, time_us, box);
}

// Detects only the first two nails: the region is smaller than the picture.
static void find_two(float ex)
{
    found.count = 0;
    find(0, 0, 0, ex, 0);
    find(1, 0, 0, ex, 0);
}

static void regions_alternate_with_whole_frames(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    draw_picture(0, 0);
    find_two(0);
    assert_false(region_due(0, &box)); // nothing is known yet
    update(0, true);
    assert_true(region_due(FRAME_US, &box));
    for (int k = 0; k < 2; k++)
        assert_true(box.x < place_x(k, 0) - 11 && box.x + box.width > place_x(k, 0) + 11);
    update_region(FRAME_US, &box);
    assert_true(region_due(LQ_REGION_US, &box));
    update_region(LQ_REGION_US, &box);
    assert_false(region_due(LQ_REGION_US + FRAME_US, &box)); // a whole frame is due
    update(LQ_REGION_US + FRAME_US, true);
    assert_true(region_due(LQ_REGION_US + 2 * FRAME_US, &box));
    assert_false(region_due(0, &box)); // older than the last
    update(LQ_REGION_US + 2 * FRAME_US, false);
    assert_false(region_due(LQ_REGION_US + 3 * FRAME_US, &box)); // smoothing was not requested
}

static void outlines_follow_the_region_and_not_the_whole_frame(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    int regions = 0;
    draw_picture(0, 0);
    for (int f = 0; f < 60; f++) { // detections in whole frames are off by three pixels
        uint64_t now = (uint64_t)f * FRAME_US;
        bool region = region_due(now, &box);
        find_two(region ? 0 : 3);
        if (region)
            update_region(now, &box);
        else
            update(now, true);
        regions += region;
    }
    assert_true(regions > 30);
    assert_int_equal(tracked.nails.count, 2);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 0), 0.5f);
}

static void what_a_region_does_not_show_is_kept_until_a_whole_frame(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_two(0);
        update((uint64_t)f * FRAME_US, true);
    }
    int id = tracked.nails.items[1].id;
    assert_true(region_due(4 * FRAME_US, &box));
    for (int f = 4; f < 7; f++) {
        found.count = 0;
        find(0, 0, 0, 0, 0);
        update_region((uint64_t)f * FRAME_US, &box);
        assert_int_equal(tracked.nails.count, 2);
    }
    update_region(3 * FRAME_US + LQ_NAIL_HOLD_US + FRAME_US, &box);
    assert_int_equal(tracked.nails.count, 2);
    assert_int_equal(tracked.nails.items[1].id, id);
    update(3 * FRAME_US + LQ_NAIL_HOLD_US + 2 * FRAME_US, true); // nor does a whole frame
    assert_int_equal(tracked.nails.count, 1);
}

static void a_nail_cut_by_the_region_is_not_found(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_two(0);
        update((uint64_t)f * FRAME_US, true);
    }
    find_all(0, 0);
    // through the third nail, which is new, at 160
    const struct lq_pixel_box box = {10, 40, 150, 120};
    update_region(4 * FRAME_US, &box);
    assert_int_equal(tracked.nails.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK_TEST(a_missed_nail_is_held_for_a_moment),
        TRACK_TEST(a_nail_that_left_leaves_no_ghost),
        TRACK_TEST(a_nail_at_the_border_does_not_blink),
        TRACK_TEST(a_first_frame_shows_nails_at_the_border),
        TRACK_TEST(a_single_false_find_is_not_held),
        TRACK_TEST(propagated_nails_follow_the_hand),
        TRACK_TEST(what_cannot_be_propagated_is_left_to_detect),
        TRACK_TEST(unsmoothed_nails_are_not_propagated),
        TRACK_TEST(an_empty_picture_stays_empty_for_a_moment),
        TRACK_TEST(regions_alternate_with_whole_frames),
        TRACK_TEST(outlines_follow_the_region_and_not_the_whole_frame),
        TRACK_TEST(what_a_region_does_not_show_is_kept_until_a_whole_frame),
        TRACK_TEST(a_nail_cut_by_the_region_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
