// The hands of a video. In place of the network: it finds a hand in each crop that shows one.
#include "unit/nail/drawn_hand.h"

enum { FRAME_US = 33333 };

static const float CERTAIN = 0.98f, LIKELY = 0.45f; // presences

static struct lq_hand scene[LQ_HANDS_MAX];
static int scene_count, strays; // hands and nails that belong to none
static bool vanishes;           // a hand is not seen again in the crop of its own landmarks
static int runs;                // of the network
static struct lq_hand_finder finder;
static struct lq_hand_memory *memory;
static struct lq_nails nails;
static uint64_t now_us;
static struct lq_image picture = {.width = 1280, .height = 720};

int lq_landmarker_set_picture(struct lq_landmarker *landmarker, const struct lq_image *shown,
                              struct lq_error *err)
{
    (void)landmarker, (void)err;
    assert_ptr_equal(shown, &picture);
    return LQ_OK;
}

static bool shows(const struct lq_hand_crop *crop, const struct lq_hand *hand)
{
    struct lq_hand_crop best = lq_hand_crop_of(hand);
    float away = hypotf(crop->center.x - best.center.x, crop->center.y - best.center.y);
    if (vanishes && away < 1.0f)
        return false;
    return away < 0.5f * best.size && fabsf(remainderf(crop->turn - best.turn, 6.2831853f)) < 0.45f;
}

int lq_landmarker_run(struct lq_landmarker *landmarker, const struct lq_hand_crop *crop,
                      bool mirrored, struct lq_hand *hand, struct lq_error *err)
{
    (void)landmarker, (void)err;
    assert_false(mirrored);
    runs++;
    *hand = (struct lq_hand){.presence = 0.01f};
    for (int h = 0; h < scene_count; h++)
        if (shows(crop, &scene[h]))
            *hand = scene[h];
    return LQ_OK;
}

static void add_hand(float x, float presence)
{
    struct lq_hand *hand = &scene[scene_count++];
    *hand = draw(0);
    hand->presence = presence;
    for (int i = 0; i < LQ_LANDMARK_COUNT; i++)
        hand->points[i].x += x;
}

static int empty_scene(void **state)
{
    (void)state;
    scene_count = strays = runs = 0;
    vanishes = false;
    picture.width = 1280;
    now_us = 1000000;
    return lq_hand_memory_new(&memory);
}

static int free_memory(void **state)
{
    (void)state;
    lq_hand_memory_free(memory);
    return 0;
}

// One frame: its nails as the detector finds them, then its hands; returns the number of runs.
static int frame(void)
{
    struct lq_error err;
    int before = runs;
    nails.count = 0;
    for (int h = 0; h < scene_count; h++)
        for (int f = 0; f < LQ_HAND_FINGERS; f++)
            nails.items[nails.count++] = nail_on(&scene[h], f);
    for (int i = 0; i < strays; i++)
        nails.items[nails.count++] = (struct lq_nail){.center_x = 1100 + 30 * (float)i,
                                                      .center_y = 600, .axis_y = 1, .length = 14,
                                                      .width = 9, .area = 100};
    assert_ok(lq_hand_follow(&finder, memory, &picture, &nails, now_us, &err));
    now_us += FRAME_US;
    return runs - before;
}

static int on_fingers(void)
{
    int count = 0;
    for (int i = 0; i < nails.count; i++)
        count += nails.items[i].on_finger;
    return count;
}

static int awaiting(void)
{
    int count = 0;
    for (int i = 0; i < nails.count; i++)
        count += nails.items[i].awaits_hand;
    return count;
}

// Frames until that many nails were on a finger, each at least once; at most `most`.
static int frames_until(int count, int most)
{
    bool seen[LQ_NAILS_MAX] = {false};
    for (int f = 1; f <= most; f++) {
        int known = 0;
        frame();
        for (int i = 0; i < nails.count; i++) {
            seen[i] = seen[i] || nails.items[i].on_finger;
            known += seen[i];
        }
        if (known >= count)
            return f;
    }
    fail_msg("%d nails are not on fingers after %d frames", count, most);
    return most;
}

static void a_hand_beyond_doubt_is_found_at_once(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    assert_int_equal(frame(), 2); // the second run confirms the first
    assert_int_equal(on_fingers(), LQ_HAND_FINGERS);
    for (int f = 0; f < LQ_HAND_FINGERS; f++) {
        assert_true(nails.items[f].tip_known && nails.items[f].axis_y < 0);
        assert_int_equal(nails.items[f].finger, LQ_FINGER_THUMB + f);
    }
}

static void a_known_hand_is_followed_with_few_runs(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    for (int f = 0; f < 30; f++)
        frame();
    assert_in_range(runs, 4, 8);
}

static void a_hand_that_is_gone_is_forgotten(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    for (int f = 0; f < 30; f++)
        frame();
    scene_count = 0;
    strays = 1;
    for (int f = 0; f < 10; f++)
        frame();
    assert_int_equal(on_fingers(), 0);
    for (int f = 0; f < 30; f++)
        assert_in_range(frame(), 0, 1); // only the search for the other nail
    scene_count = 1;
    scene[0] = draw(0.5f); // turned
    strays = 0;
    frames_until(LQ_HAND_FINGERS, 45);
}

// A false nail, for which the search has ended and rests, or is still under way.
static void a_hand_that_comes_does_not_wait_for_the_search_of_another_nail(void **state)
{
    (void)state;
    for (int before = 5; before < 60; before += 9) {
        lq_hand_memory_forget(memory);
        scene_count = 0;
        strays = 1;
        for (int f = 0; f < before; f++)
            frame();
        add_hand(0, CERTAIN);
        assert_in_range(frames_until(LQ_HAND_FINGERS, 60), 1, 15);
    }
}

// The search rests after the hand that it found; its nails do not count as searched for any more.
static void a_second_hand_that_comes_later_is_found_at_once(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    for (int f = 0; f < 10; f++)
        frame();
    add_hand(600, CERTAIN);
    assert_in_range(frames_until(2 * LQ_HAND_FINGERS, 60), 1, 15);
}

// No crop shows the second hand beyond doubt either: a search that ends does not pause the next.
static void a_second_hand_is_searched_for_at_once(void **state)
{
    (void)state;
    add_hand(0, LIKELY);
    add_hand(600, LIKELY);
    int both = frames_until(2 * LQ_HAND_FINGERS, 60);
    assert_true((uint64_t)both * FRAME_US < LQ_HAND_REST_US);
}

static void nails_of_no_hand_do_not_keep_the_network_busy(void **state)
{
    (void)state;
    add_hand(0, LIKELY);
    strays = 3;
    for (int f = 0; f < 60; f++)
        frame();
    runs = 0;
    for (int f = 0; f < 300; f++)
        frame();
    // In 10 s: 40 runs on the known hand, and a search a second at most.
    assert_in_range(runs, 40, 40 + 10 * (LQ_HAND_CROPS + 1));
}

// It is found by each search, so other nails are left and another search begins at once, but only
// twice in a row.
static void a_hand_that_vanishes_does_not_keep_the_network_busy(void **state)
{
    (void)state;
    add_hand(0, LIKELY);
    strays = 3;
    vanishes = true;
    int idle = 0, before = 1;
    for (int f = 0; f < 300; f++) {
        int now = frame();
        if (now == 0 && before == 0)
            assert_int_equal(awaiting(), 0);
        idle += now == 0;
        before = now;
    }
    assert_true(idle > 90);
}

static void nails_await_their_hand_while_it_is_searched_for(void **state)
{
    (void)state;
    add_hand(0, LIKELY);
    frame();
    assert_int_equal(awaiting(), LQ_HAND_FINGERS);
    for (uint64_t began = now_us; now_us - began < LQ_HAND_AWAIT_US + LQ_HAND_REST_US;)
        frame();
    assert_int_equal(awaiting(), 0);
}

// As in a new video.
static void a_forgotten_hand_is_searched_for_anew(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    add_hand(600, CERTAIN);
    frames_until(2 * LQ_HAND_FINGERS, 60);
    lq_hand_memory_forget(memory);
    now_us = 0;
    frame(); // a search in which one of the two is found
    assert_int_equal(on_fingers(), LQ_HAND_FINGERS);
}

// A hand that is known in pictures of another size, and the pause until it is followed, do not hold
// up its search.
static void a_hand_is_searched_for_anew_in_pictures_of_another_size(void **state)
{
    (void)state;
    add_hand(0, CERTAIN);
    for (int f = 0; f < 10; f++)
        frame();
    picture.width = 960;
    scene_count = 0;
    add_hand(400, CERTAIN);
    frame();
    assert_int_equal(on_fingers(), LQ_HAND_FINGERS);
}

int main(void)
{
#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, empty_scene, free_memory)
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(a_hand_beyond_doubt_is_found_at_once),
        WITH_MEMORY(a_known_hand_is_followed_with_few_runs),
        WITH_MEMORY(a_hand_that_is_gone_is_forgotten),
        WITH_MEMORY(a_hand_that_comes_does_not_wait_for_the_search_of_another_nail),
        WITH_MEMORY(a_second_hand_that_comes_later_is_found_at_once),
        WITH_MEMORY(a_second_hand_is_searched_for_at_once),
        WITH_MEMORY(nails_of_no_hand_do_not_keep_the_network_busy),
        WITH_MEMORY(a_hand_that_vanishes_does_not_keep_the_network_busy),
        WITH_MEMORY(nails_await_their_hand_while_it_is_searched_for),
        WITH_MEMORY(a_forgotten_hand_is_searched_for_anew),
        WITH_MEMORY(a_hand_is_searched_for_anew_in_pictures_of_another_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
