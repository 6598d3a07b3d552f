// A drawn hand of textured nails, found with noise, tracked.
#include "nail/track.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nail/finger.h"
#include "nail/shape.h"
#include "unit/unit.h"

enum { W = 320, H = 200, CROP = 48, NAILS = 5, FRAME_US = 33333 };

static uint8_t pixels[W * H * 3];
static struct lq_image picture = {pixels, W, H, 3, 8, W * 3};
static uint8_t crops[NAILS][CROP * CROP];
static struct lq_tracker *tracker;
static struct lq_tracked tracked;
static struct lq_nails found;

static int open_all(void **state)
{
    (void)state;
    lq_tracked_init(&tracked);
    picture.width = W;
    return lq_tracker_new(&tracker);
}

static int close_all(void **state)
{
    (void)state;
    lq_tracker_free(tracker);
    lq_tracked_release(&tracked);
    return 0;
}

// The hand at (x, y): nail k lies 55 pixels right of the one before.
static float place_x(int k, float x)
{
    return 50 + 55 * (float)k + x;
}

static void draw_picture(float x, float y)
{
    for (int j = 0; j < H; j++)
        for (int i = 0; i < W; i++) {
            float u = (float)i - x, v = (float)j - y;
            float level = 128 + 45 * sinf(u * 0.25f) * cosf(v * 0.21f) +
                25 * sinf(u * 0.1f + v * 0.3f);
            memset(pixels + (j * W + i) * 3, (int)level, 3);
        }
}

// Finds nail k with its centre off by (ex, ey).
static void find(int k, float x, float y, float ex, float ey)
{
    struct lq_nail *nail = &found.items[found.count++];
    float cx = place_x(k, x) + ex, cy = 100 + y + ey;
    *nail = (struct lq_nail){.id = found.count, .confidence = 0.9f, .x = (int)cx - CROP / 2,
                             .y = (int)cy - CROP / 2, .width = CROP, .height = CROP,
                             .alpha = crops[k], .alpha_stride = CROP};
    for (int j = 0; j < CROP; j++)
        for (int i = 0; i < CROP; i++) {
            float dx = ((float)(nail->x + i) + 0.5f - cx) / 11,
                dy = ((float)(nail->y + j) + 0.5f - cy) / 16;
            float level = 0.5f + (1 - sqrtf(dx * dx + dy * dy)) * 6;
            crops[k][j * CROP + i] = (uint8_t)(255 * (level < 0 ? 0 : level > 1 ? 1 : level));
        }
    lq_shape_measure(nail);
}

static void find_all(float x, float y)
{
    found.count = 0;
    for (int k = 0; k < NAILS; k++)
        find(k, x, y, 0, 0);
}

static void update(uint64_t time_us, bool smooth)
{
    assert_ok(lq_tracker_update(tracker, &picture, &found, time_us, smooth, &tracked));
}

static void ids_follow_a_moving_hand(void **state)
{
    (void)state;
    int ids[NAILS];
    uint64_t now = 1000;
    // Irregular intervals, a jump of a whole finger's width, nails found in another order.
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
            for (int y = 0; y < a->height; y++)
                assert_memory_equal(a->alpha + (size_t)y * a->alpha_stride,
                                    b->alpha + (size_t)(a->y - b->y + y) * CROP + (a->x - b->x),
                                    (size_t)a->width);
        }
    }
}

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
        assert_false(there && now - lost > 100000); // no ghost later than that
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

// Nail 0 with the picture's left border cutting it.
static void find_cut(float x)
{
    found.count = 0;
    find(0, x, 0, 0, 0);
    struct lq_nail *nail = &found.items[0];
    int off = nail->x < 0 ? -nail->x : 0;
    nail->x += off;
    nail->width -= off;
    nail->alpha += off;
    nail->alpha_stride = CROP;
    lq_shape_measure(nail);
}

// A nail drifts out over the border and in again, 1.5 pixels a frame, and once the border cuts it
// the network sees it in two frames of five: it goes once and comes once.
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

static void carried_nails_go_with_the_hand(void **state)
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
    print_message("%d of 60 frames carried; off by %.3f px on average\n", propagated,
                  off / (propagated * NAILS));
    assert_int_equal(propagated, 38); // two of each three, after the first three
    assert_true(off / (propagated * NAILS) < 0.3);
}

static void what_cannot_be_carried_is_left_to_be_found(void **state)
{
    (void)state;
    draw_picture(0, 0);
    assert_false(propagate(0)); // nothing is known yet
    find_in_frames(2);
    assert_false(propagate(2 * FRAME_US)); // too little is
    find_in_frames(5);
    assert_false(propagate(3 * FRAME_US)); // older than the last
    picture.width = W - 2;
    assert_false(propagate(5 * FRAME_US)); // another size
    picture.width = W;
    assert_false(propagate(4 * FRAME_US + LQ_NAIL_HOLD_US + 1)); // too long ago
    uint32_t seed = 3; // one nail's surroundings change
    for (int y = 60; y < 140; y++)
        for (int x = 30; x < 75; x++)
            memset(pixels + (y * W + x) * 3, (int)(unit_random(&seed) & 255), 3);
    assert_false(propagate(5 * FRAME_US));
    draw_picture(1, 0);
    assert_true(propagate(5 * FRAME_US)); // trials that failed changed nothing
    assert_int_equal(tracked.nails.items[0].id, 1);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 1), 0.2f);
}

static void unsteadied_nails_are_not_carried(void **state)
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

static bool multiscale(uint64_t time_us, int box[4])
{
    return lq_tracker_region(tracker, &picture, time_us, box);
}

static void update_region(uint64_t time_us, const int box[4])
{
    assert_ok(lq_tracker_update_region(tracker, &picture, box, &found, time_us, &tracked));
}

// The first two nails alone: the region is smaller than the picture.
static void find_two(float ex)
{
    found.count = 0;
    find(0, 0, 0, ex, 0);
    find(1, 0, 0, ex, 0);
}

static void a_region_is_looked_at_between_wholes(void **state)
{
    (void)state;
    int box[4];
    draw_picture(0, 0);
    find_two(0);
    assert_false(multiscale(0, box)); // nothing is known yet
    update(0, true);
    assert_true(multiscale(FRAME_US, box));
    for (int k = 0; k < 2; k++)
        assert_true(box[0] < place_x(k, 0) - 11 && box[0] + box[2] > place_x(k, 0) + 11);
    update_region(FRAME_US, box);
    assert_true(multiscale(LQ_REGION_US, box));
    update_region(LQ_REGION_US, box);
    assert_false(multiscale(LQ_REGION_US + FRAME_US, box)); // the whole is due
    update(LQ_REGION_US + FRAME_US, true);
    assert_true(multiscale(LQ_REGION_US + 2 * FRAME_US, box));
    assert_false(multiscale(0, box)); // older than the last
    update(LQ_REGION_US + 2 * FRAME_US, false);
    assert_false(multiscale(LQ_REGION_US + 3 * FRAME_US, box)); // not asked to be steadied
}

static void outlines_follow_the_region_and_not_the_whole(void **state)
{
    (void)state;
    int box[4], regions = 0;
    draw_picture(0, 0);
    for (int f = 0; f < 60; f++) { // the whole errs by three pixels, the region does not
        uint64_t now = (uint64_t)f * FRAME_US;
        bool region = multiscale(now, box);
        find_two(region ? 0 : 3);
        if (region)
            update_region(now, box);
        else
            update(now, true);
        regions += region;
    }
    assert_true(regions > 30);
    assert_int_equal(tracked.nails.count, 2);
    assert_float_equal(tracked.nails.items[0].center_x, place_x(0, 0), 0.5f);
}

static void what_a_region_does_not_show_waits_for_the_whole(void **state)
{
    (void)state;
    int box[4];
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_two(0);
        update((uint64_t)f * FRAME_US, true);
    }
    int id = tracked.nails.items[1].id;
    assert_true(multiscale(4 * FRAME_US, box));
    for (int f = 4; f < 7; f++) {
        found.count = 0;
        find(0, 0, 0, 0, 0);
        update_region((uint64_t)f * FRAME_US, box);
        assert_int_equal(tracked.nails.count, 2);
    }
    update_region(3 * FRAME_US + LQ_NAIL_HOLD_US + FRAME_US, box);
    assert_int_equal(tracked.nails.count, 2);
    assert_int_equal(tracked.nails.items[1].id, id);
    update(3 * FRAME_US + LQ_NAIL_HOLD_US + 2 * FRAME_US, true); // the whole does not either
    assert_int_equal(tracked.nails.count, 1);
}

static void a_nail_cut_by_the_region_is_not_taken(void **state)
{
    (void)state;
    draw_picture(0, 0);
    for (int f = 0; f < 4; f++) {
        find_two(0);
        update((uint64_t)f * FRAME_US, true);
    }
    find_all(0, 0);
    const int box[4] = {10, 40, 150, 120}; // through the third nail, which is new, at 160
    update_region(4 * FRAME_US, box);
    assert_int_equal(tracked.nails.count, 2);
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
            nail->x = 2 + (int)(unit_random(&seed) % (W - CROP - 4)); // at the border some wait
            nail->y = 2 + (int)(unit_random(&seed) % (H - CROP - 4));
            lq_shape_measure(nail);
        }
        update((uint64_t)f * FRAME_US, f % 50 < 40);
        assert_true(tracked.nails.count >= found.count && tracked.nails.count <= LQ_NAILS_MAX);
        for (int i = 0; i < tracked.nails.count; i++) {
            const struct lq_nail *nail = &tracked.nails.items[i];
            assert_true(nail->id > 0 && nail->x >= 0 && nail->y >= 0 && nail->width > 0);
            assert_true(nail->x + nail->width <= W && nail->y + nail->height <= H);
            assert_true(isfinite(nail->length) && isfinite(nail->axis_x));
            for (int j = 0; j < i; j++)
                assert_int_not_equal(nail->id, tracked.nails.items[j].id);
        }
    }
}

static void tell_tips(float tip_y, float share)
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
            tell_tips(0.9f, 0); // one frame errs, and shows too little to name fingers
        else
            tell_tips(-0.9f, f == 6 ? 0.4f : 0.95f);
        update((uint64_t)f * FRAME_US, true);
        for (int i = 0; i < NAILS; i++) {
            assert_true(tracked.nails.items[i].tip_known);
            assert_true(tracked.nails.items[i].axis_y < -0.99f);
            assert_int_equal(tracked.nails.items[i].finger, LQ_FINGER_THUMB + i);
        }
    }
    for (int f = 12; f < 60; f++) { // told otherwise for long enough, it believes
        find_all(0, 0);
        tell_tips(0.9f, 0.95f);
        update((uint64_t)f * FRAME_US, true);
    }
    assert_true(tracked.nails.items[0].tip_known && tracked.nails.items[0].axis_y > 0.99f);
}

// What the hand says against the nail's own looks is taken at once, but turns it within 200 ms.
static void a_wrong_direction_is_turned_and_does_not_jump(void **state)
{
    (void)state;
    float x = 0, y = -1;
    draw_picture(0, 0);
    for (int f = 0; f < 14; f++) {
        find_all(0, 0);
        tell_tips(f < 6 ? -0.9f : 0.9f, 0.95f);
        for (int i = 0; i < found.count; i++)
            found.items[i].on_finger = f >= 6;
        update((uint64_t)f * FRAME_US, true);
        const struct lq_nail *nail = &tracked.nails.items[0];
        assert_true(f == 0 || x * nail->axis_x + y * nail->axis_y > 0.82f); // 35 degrees
        assert_true(nail->length > 20 && nail->breadth > 20);
        x = nail->axis_x;
        y = nail->axis_y;
        assert_true(f < 12 || y > 0.99f);
    }
}

static void rest_gives_memory_back_and_begins_anew(void **state)
{
    (void)state;
    draw_picture(0, 0);
    find_all(0, 0);
    lq_tracker_rest(tracker); // nothing to give back yet
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
#define TRACK_TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TRACK_TEST(ids_follow_a_moving_hand),
        TRACK_TEST(noise_is_smoothed_without_lag),
        TRACK_TEST(a_still_picture_stays_as_it_is),
        TRACK_TEST(a_missed_nail_is_held_for_a_moment),
        TRACK_TEST(a_nail_that_left_leaves_no_ghost),
        TRACK_TEST(a_nail_at_the_border_does_not_blink),
        TRACK_TEST(a_single_false_find_is_not_held),
        TRACK_TEST(without_smoothing_only_ids_are_kept),
        TRACK_TEST(a_late_frame_changes_nothing),
        TRACK_TEST(carried_nails_go_with_the_hand),
        TRACK_TEST(what_cannot_be_carried_is_left_to_be_found),
        TRACK_TEST(unsteadied_nails_are_not_carried),
        TRACK_TEST(an_empty_picture_stays_empty_for_a_moment),
        TRACK_TEST(a_region_is_looked_at_between_wholes),
        TRACK_TEST(outlines_follow_the_region_and_not_the_whole),
        TRACK_TEST(what_a_region_does_not_show_waits_for_the_whole),
        TRACK_TEST(a_nail_cut_by_the_region_is_not_taken),
        TRACK_TEST(another_size_begins_anew),
        TRACK_TEST(one_frame_turns_no_nail_round),
        TRACK_TEST(a_wrong_direction_is_turned_and_does_not_jump),
        TRACK_TEST(rest_gives_memory_back_and_begins_anew),
        TRACK_TEST(many_nails_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
