// Nails that no single region holds: the network looks at some of them in turn.
#include "unit/nail/tracked_hand.h"

// The first and the last two nails are found, far apart in a wide picture.
static bool is_there(int k)
{
    return k != 2;
}

static bool lies_in(const struct lq_pixel_box *box, int k, float x)
{
    float from = place_x(k, x) - 12, to = place_x(k, x) + 12;
    return from >= (float)box->x && to <= (float)(box->x + box->width);
}

// Detects the nails inside the box, or all.
static void find_inside(const struct lq_pixel_box *box, float x)
{
    found.count = 0;
    for (int k = 0; k < NAILS; k++)
        if (is_there(k) && (!box || lies_in(box, k, x)))
            find(k, x, 0, 0, 0);
}

static enum lq_region_kind region(uint64_t time_us, struct lq_pixel_box *box)
{
    return lq_tracker_region(tracker, &picture, time_us, box);
}

// One frame as the detector makes it; returns where the network looked.
static enum lq_region_kind frame(int f, float x, struct lq_pixel_box *box)
{
    uint64_t now = (uint64_t)f * FRAME_US;
    draw_picture(x, 0);
    enum lq_region_kind kind = region(now, box);
    find_inside(kind == LQ_REGION_NONE ? NULL : box, x);
    if (kind == LQ_REGION_NONE)
        update(now, true);
    else
        update_region(now, box);
    return kind;
}

static void nails_far_apart_are_looked_at_in_turn(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    int looks[NAILS] = {0}, turns = 0;
    for (int f = 0; f < 40; f++) {
        enum lq_region_kind kind = frame(f, 0, &box);
        assert_int_not_equal(kind, LQ_REGION_ALL);
        assert_int_equal(tracked.nails.count, 4); // those that it does not look at are held
        for (int k = 0; kind == LQ_REGION_TURN && k < NAILS; k++)
            looks[k] += is_there(k) && lies_in(&box, k, 0);
        turns += kind == LQ_REGION_TURN;
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(tracked.nails.items[i].id, i + 1);
    print_message("%d of 40 frames in turn: %d, %d, %d, %d looks\n", turns, looks[0], looks[1],
                  looks[3], looks[4]);
    assert_true(turns >= 25); // in between are whole frames, at most LQ_REGION_US apart
    for (int k = 0; k < NAILS; k++)
        assert_true(!is_there(k) || looks[k] >= turns / 3);
}

// While they move, all are looked at in each frame.
static void moving_nails_are_looked_at_all_at_once(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    for (int f = 0; f < 20; f++) // 6 of 32 pixels
        assert_int_equal(frame(f, f % 2 ? 6 : 0, &box), LQ_REGION_NONE);
    assert_int_equal(frame(20, 6, &box), LQ_REGION_NONE);
    for (int f = 21; f < 24; f++)
        if (frame(f, 6, &box) == LQ_REGION_TURN)
            return;
    fail_msg("they are not looked at in turn after they came to rest");
}

// Frames in turn, of 20 that show the nails at x and `sway` pixels farther.
static int turns_at(float x, float sway)
{
    struct lq_pixel_box box;
    int turns = 0;
    lq_tracker_rest(tracker);
    for (int f = 0; f < 20; f++)
        turns += frame(f, f % 2 ? x + sway : x, &box) == LQ_REGION_TURN;
    return turns;
}

// What enters over the picture's border does not follow from its motion.
static void a_nail_at_the_border_is_looked_at_while_it_moves(void **state)
{
    (void)state;
    const float border = 12 - place_x(0, 0), sway = 1.5f;
    assert_true(turns_at(0, sway) >= 10);
    assert_true(turns_at(border, 0) >= 10);
    assert_int_equal(turns_at(border, sway), 0);
}

// A lost nail may be elsewhere: the next frame is a whole one.
static void a_lost_nail_is_looked_for_in_the_whole_picture(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    int f = 0;
    while (frame(f, 0, &box) != LQ_REGION_TURN)
        assert_true(++f < 6);
    f++;
    assert_int_equal(region((uint64_t)f * FRAME_US, &box), LQ_REGION_TURN);
    int away = lies_in(&box, 0, 0) ? 4 : 0;
    uint32_t seed = 3;
    for (int y = 60; y < 140; y++)
        for (int x = (int)place_x(away, 0) - 25; x < (int)place_x(away, 0) + 25; x++)
            memset(pixels + (y * W + x) * 3, (int)(unit_random(&seed) & 255), 3);
    find_inside(&box, 0);
    update_region((uint64_t)f * FRAME_US, &box);
    assert_int_equal(tracked.nails.count, 3);
    assert_int_equal(region((uint64_t)(f + 1) * FRAME_US, &box), LQ_REGION_NONE);
}

// Detects nail 0 in a first frame, and then also nail 1.
static void find_one_more(void)
{
    draw_picture(0, 0);
    found.count = 0;
    find(0, 0, 0, 0, 0);
    update(0, true);
    find(1, 0, 0, 0, 0);
}

static const struct lq_pixel_box LEFT = {10, 40, 200, 120}; // holds both

// A region lacks the context that distinguishes nail from skin.
static void an_unsure_nail_in_a_region_is_none(void **state)
{
    (void)state;
    find_one_more();
    found.items[1].confidence = 0.7f;
    update_region(FRAME_US, &LEFT);
    assert_int_equal(tracked.nails.count, 1);
    found.items[1].confidence = 0.9f;
    update_region(2 * FRAME_US, &LEFT);
    assert_int_equal(tracked.nails.count, 2);
}

// A whole frame sees one nail as two: the second one is new, and lies on a nail found closely.
static void a_part_of_a_nail_found_closely_is_none(void **state)
{
    (void)state;
    draw_picture(0, 0);
    found.count = 0;
    find(0, 0, 0, 0, 0);
    find(1, 0, 0, 0, 0);
    update(0, true);
    for (int f = 1; f < 3; f++) {
        if (f == 2)
            find(1, 0, 0, 0, 9);
        update((uint64_t)(2 * f) * FRAME_US, true);
        assert_int_equal(tracked.nails.count, f == 1 ? 2 : 3); // as no close look says otherwise
    }
    lq_tracker_rest(tracker);
    found.count = 2;
    update_region(0, &LEFT);
    found.count = 3;
    update(FRAME_US, true);
    assert_int_equal(tracked.nails.count, 2);
}

// Only a close look shows nail 1. Whole frames in between, which miss it, change nothing for a
// moment.
static void what_a_close_look_found_outlives_whole_frames(void **state)
{
    (void)state;
    find_one_more();
    update_region(FRAME_US, &LEFT);
    int id = tracked.nails.items[1].id;
    for (int f = 2; f < 8; f++) {
        found.count = 0;
        find(0, 0, 0, 0, 0);
        update((uint64_t)f * FRAME_US, true);
        assert_int_equal(tracked.nails.count, 2);
        assert_int_equal(tracked.nails.items[1].id, id);
    }
    update(FRAME_US + LQ_LONG_HOLD_US + FRAME_US, true);
    assert_int_equal(tracked.nails.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACK_TEST(nails_far_apart_are_looked_at_in_turn),
        TRACK_TEST(moving_nails_are_looked_at_all_at_once),
        TRACK_TEST(a_nail_at_the_border_is_looked_at_while_it_moves),
        TRACK_TEST(a_lost_nail_is_looked_for_in_the_whole_picture),
        TRACK_TEST(an_unsure_nail_in_a_region_is_none),
        TRACK_TEST(a_part_of_a_nail_found_closely_is_none),
        TRACK_TEST(what_a_close_look_found_outlives_whole_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
