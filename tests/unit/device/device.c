#include "device/device.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "device/network.h"
#include "frame/wire.h"
#include "unit/unit.h"

enum { WIDTH = 320, HEIGHT = 240 };

// The networks of these tests: red pixels are nails; there is no hand or, with `shows`, one below
// three nails.
static struct {
    int nails, hand, fail; // runs; fail: status of the next ones
    int width, height;     // of the first
    bool shows;
} runs;

enum { SIDE = 224 }; // of a hand's crop

// Finds the middles of red spots that share no columns; returns their number.
static int find_spots(const float *crop, float spots[SIDE][2])
{
    int count = 0, pixels = 0;
    for (int x = 0; x < SIDE; x++) {
        int before = pixels;
        for (int y = 0; y < SIDE; y++) {
            const float *pixel = crop + 3 * (y * SIDE + x);
            if (!(pixel[0] > 0.6f && pixel[1] < 0.3f))
                continue;
            float *spot = spots[count];
            pixels++;
            spot[0] = pixels == 1 ? (float)x : spot[0] + ((float)x - spot[0]) / (float)pixels;
            spot[1] = pixels == 1 ? (float)y : spot[1] + ((float)y - spot[1]) / (float)pixels;
        }
        bool ends = before > 0 && pixels == before;
        count += ends;
        pixels = ends ? 0 : pixels;
    }
    return count;
}

// Draws landmarks of a hand from below whose index, middle and ring finger end in three spots.
static void put_hand(const float *crop, float *points, float *presence)
{
    float spots[SIDE][2];
    *presence = find_spots(crop, spots) == 3 ? 1.0f : 0.0f;
    for (int i = 0; i < 21 && *presence > 0; i++) {
        int finger = i == 0 ? 2 : (i - 1) / 4, joint = i == 0 ? 4 : 3 - (i - 1) % 4;
        const float *spot = spots[finger < 1 ? 0 : finger > 3 ? 2 : finger - 1];
        points[3 * i] = spot[0] + (finger == 0 ? -40.0f : finger == 4 ? 40.0f : 0.0f);
        points[3 * i + 1] = spot[1] + 25.0f * (float)joint;
    }
}

int lq_mirror_run(int network, const float *input, int width, int height, float *const outputs[3])
{
    if (runs.fail)
        return runs.fail;
    if (network == LQ_MIRROR_HAND) {
        runs.hand++;
        assert_int_equal(width, SIDE);
        assert_int_equal(height, SIDE);
        memset(outputs[0], 0, 63 * sizeof(float));
        *outputs[1] = *outputs[2] = 0.0f;
        if (runs.shows)
            put_hand(input, outputs[0], outputs[1]);
        return LQ_OK;
    }
    if (runs.nails++ == 0) {
        runs.width = width;
        runs.height = height;
    }
    size_t plane = (size_t)width * (size_t)height;
    for (int y = 0; y < height / 2; y++)
        for (int x = 0; x < width / 2; x++) {
            size_t at = 2 * ((size_t)y * (size_t)width + (size_t)x);
            bool red = input[at] > 0.6f && input[at + plane] < 0.3f;
            outputs[0][(size_t)y * (size_t)(width / 2) + (size_t)x] = red ? 0.97f : 0.01f;
        }
    return LQ_OK;
}

static const struct lq_mirror_networks both_sizes = {2, {{192, 144}, {144, 192}}, 0.5f, 1};

// Draws skin with red ellipses: upright nails, `shift` pixels to the right.
static void draw(uint8_t *rgba, int width, int height, int count, int shift)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = rgba + 4 * ((size_t)y * (size_t)width + (size_t)x);
            memcpy(pixel, (uint8_t[]){205, 165, 140, 255}, 4);
            pixel[0] = (uint8_t)(pixel[0] + (x * 7 + y * 5) % 9); // texture, for the tracking
            for (int i = 0; i < count; i++) {
                float u = ((float)(x - shift) - 60.0f * (float)(i + 1)) / 13.0f;
                float v = ((float)y - 0.5f * (float)height) / 19.0f;
                if (u * u + v * v < 1.0f)
                    memcpy(pixel, (uint8_t[]){220, (uint8_t)(30 + 10 * i), 40, 255}, 4);
            }
        }
}

static struct lq_wire_reply find(struct lq_mirror *mirror, const struct lq_mirror_look *look)
{
    struct lq_wire_reply reply;
    assert_ok(lq_mirror_find(mirror, look));
    assert_ok(lq_wire_reply_read(&reply, lq_mirror_reply(mirror), lq_mirror_reply_bytes(mirror),
                                 NULL));
    return reply;
}

static struct lq_mirror *opened(const struct lq_mirror_networks *networks, int nails)
{
    memset(&runs, 0, sizeof runs);
    struct lq_mirror *mirror = lq_mirror_open(networks);
    assert_non_null(mirror);
    uint8_t *pixels = lq_mirror_picture(mirror, WIDTH, HEIGHT);
    assert_non_null(pixels);
    draw(pixels, WIDTH, HEIGHT, nails, 0);
    return mirror;
}

static void replies_as_requested(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 3);
    struct lq_wire_reply reply = find(mirror, &(struct lq_mirror_look){77, 0, 123456, 1000, 250});
    assert_int_equal(reply.type, LQ_WIRE_TYPE_NAILS);
    assert_int_equal(reply.nails, 3);
    assert_int_equal(reply.id, 77);
    assert_int_equal(reply.client_time, 123456);
    assert_int_equal(reply.width, WIDTH);
    assert_int_equal(reply.height, HEIGHT);
    assert_int_equal(reply.stage_us[0], 250);
    assert_int_equal(runs.nails, 2); // the second on the region around the nails
    assert_int_equal(runs.width, 192);
    lq_mirror_close(mirror);
}

static void picks_the_size_of_nearest_proportions(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 0);
    uint8_t *pixels = lq_mirror_picture(mirror, HEIGHT, WIDTH);
    draw(pixels, HEIGHT, WIDTH, 2, 0);
    assert_int_equal(find(mirror, &(struct lq_mirror_look){.id = 1}).nails, 2);
    assert_int_equal(runs.width, 144);
    assert_int_equal(runs.height, 192);
    lq_mirror_close(mirror);
}

// Nails keep their ids in a video and are detected in a region; a still is independent.
static void follows_a_video(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 3);
    uint32_t first = 0;
    for (int i = 0; i < 4; i++) {
        draw(lq_mirror_picture(mirror, WIDTH, HEIGHT), WIDTH, HEIGHT, 3, 2 * i);
        (void)find(mirror, &(struct lq_mirror_look){(uint32_t)i, 0, 0, 1000 + 33000.0 * i, 0});
        // After the light's block; a nail's id is at offset 8 of its block.
        const uint8_t *nail = lq_mirror_reply(mirror) + LQ_WIRE_REPLY_BYTES + 4 + 28;
        uint32_t id = (uint32_t)lq_wire_get(nail + 8, 4);
        first = i == 0 ? id : first;
        assert_int_equal(id, first);
    }
    int before = runs.nails;
    (void)find(mirror, &(struct lq_mirror_look){.id = 9, .still = 1});
    assert_true(runs.nails - before > 2); // in several scales
    assert_true(runs.hand > 2);           // and its hand is searched for
    lq_mirror_close(mirror);
}

// The number of nails in the last reply whose tip is known.
static int known_tips(struct lq_mirror *mirror, int nails)
{
    const uint8_t *nail = lq_mirror_reply(mirror) + LQ_WIRE_REPLY_BYTES + 4 + 28;
    int known = 0;
    for (int i = 0; i < nails; i++, nail += 4 + lq_wire_get(nail + 2, 2))
        known += nail[4 + 17];
    return known;
}

static int tips_at(struct lq_mirror *mirror, double time_us)
{
    return known_tips(mirror, find(mirror, &(struct lq_mirror_look){.time_us = time_us}).nails);
}

// The hand network runs once a frame until it shows where the nails point, and as soon after a rest
// as in a new video, whatever the frames' times.
static void points_nails_along_a_hand_soon(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 3);
    int first = 0;
    runs.shows = true;
    for (int video = 0; video < 3; video++) {
        int frame = 0;
        runs.hand = 0;
        while (tips_at(mirror, 33e3 * frame) == 0)
            assert_int_equal(runs.hand, ++frame);
        assert_int_equal(tips_at(mirror, 33e3 * (frame + 1)), 3);
        first = video == 0 ? frame : first;
        assert_in_range(first, 0, 16);
        assert_int_equal(frame, first);
        lq_mirror_rest(mirror);
        draw(lq_mirror_picture(mirror, WIDTH, HEIGHT), WIDTH, HEIGHT, 3, 0);
    }
    lq_mirror_close(mirror);
}

// While the hand is searched for, directions that the nails' appearance suggests are not shown.
static void guesses_no_direction_before_the_hand(void **state)
{
    (void)state;
    const struct lq_mirror_networks alone = {1, {{192, 144}}, 0, 0};
    struct lq_mirror *mirror = opened(&alone, 3);
    int guessed = tips_at(mirror, 0), frame = 0; // there is no hand network
    assert_in_range(guessed, 1, 3);
    lq_mirror_close(mirror);
    mirror = opened(&both_sizes, 3);
    for (int before = -1; runs.hand > before; frame++) {
        before = runs.hand;
        int known = tips_at(mirror, 33e3 * frame);
        assert_true(runs.hand <= before + 1 && (runs.hand == before || known == 0));
    }
    assert_in_range(frame, 9, 26); // all rotations, in up to three sizes
    assert_in_range(tips_at(mirror, 33e3 * frame), guessed, 3);
    int all = runs.hand;
    lq_mirror_close(mirror);
    mirror = opened(&both_sizes, 3); // too slow to search it all before a shopper gets impatient
    for (frame = 0; frame < 6; frame++)
        assert_int_equal(tips_at(mirror, 300e3 * frame) > 0, frame > 3);
    (void)tips_at(mirror, 700e3); // a late frame leaves the search to the others
    for (int before = -1; runs.hand > before; frame++) {
        before = runs.hand;
        (void)tips_at(mirror, 300e3 * frame);
    }
    assert_int_equal(runs.hand, all);
    lq_mirror_close(mirror);
}

// Returns the runs of the hand network in 3 s of a video with this frame interval, once the hand is
// known.
static int follow_hand(double between_us)
{
    struct lq_mirror *mirror = opened(&both_sizes, 3);
    runs.shows = true;
    double time_us = 1000;
    for (int i = 0; i < 30; i++, time_us += between_us)
        (void)find(mirror, &(struct lq_mirror_look){.id = 1, .time_us = time_us});
    runs.hand = 0;
    for (double end_us = time_us + 3e6; time_us < end_us; time_us += between_us)
        (void)find(mirror, &(struct lq_mirror_look){.id = 2, .time_us = time_us});
    lq_mirror_close(mirror);
    return runs.hand;
}

// Four times a second, but at low frame rates at most in every third or fourth frame.
static void follows_a_hand_in_few_frames(void **state)
{
    (void)state;
    assert_in_range(follow_hand(33333), 10, 12);
    assert_in_range(follow_hand(66667), 10, 12);
    assert_in_range(follow_hand(100000), 7, 8); // of 30
    assert_in_range(follow_hand(250000), 4, 4); // of 12
}

static void forgets_when_another_video_begins(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 1);
    (void)find(mirror, &(struct lq_mirror_look){.id = 1, .time_us = 1000});
    lq_mirror_rest(mirror);
    assert_int_equal(lq_mirror_find(mirror, &(struct lq_mirror_look){.id = 2}), LQ_ERR_ARGUMENT);
    assert_non_null(strstr(lq_mirror_error(mirror), "no picture"));
    draw(lq_mirror_picture(mirror, WIDTH, HEIGHT), WIDTH, HEIGHT, 1, 0);
    assert_int_equal(find(mirror, &(struct lq_mirror_look){.id = 3, .time_us = 10}).nails, 1);
    lq_mirror_close(mirror);
}

static void goes_on_after_a_network_failed(void **state)
{
    (void)state;
    struct lq_mirror *mirror = opened(&both_sizes, 2);
    runs.fail = LQ_ERR_ENGINE;
    assert_int_equal(lq_mirror_find(mirror, &(struct lq_mirror_look){.id = 1}), LQ_ERR_ENGINE);
    assert_non_null(strstr(lq_mirror_error(mirror), "did not run"));
    runs.fail = 0;
    assert_int_equal(find(mirror, &(struct lq_mirror_look){.id = 2, .time_us = 9}).nails, 2);
    lq_mirror_close(mirror);
}

static void does_without_a_hand_network(void **state)
{
    (void)state;
    const struct lq_mirror_networks alone = {1, {{192, 144}}, 0, 0};
    struct lq_mirror *mirror = opened(&alone, 2);
    assert_int_equal(find(mirror, &(struct lq_mirror_look){.id = 1, .still = 1}).nails, 2);
    assert_int_equal(runs.hand, 0);
    lq_mirror_close(mirror);
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    static const struct lq_mirror_networks bad[] = {
        {0, {{0}}, 0, 0},
        {5, {{192, 144}}, 0, 0},
        {1, {{-192, 144}}, 0, 0},
        {1, {{1 << 20, 144}}, 0, 0},
    };
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_null(lq_mirror_open(&bad[i]));
    struct lq_mirror *mirror = opened(&both_sizes, 1);
    assert_null(lq_mirror_picture(mirror, 0, 100));
    assert_null(lq_mirror_picture(mirror, -5, 100));
    assert_null(lq_mirror_picture(mirror, 100000, 100000));
    assert_non_null(strstr(lq_mirror_error(mirror), "at most"));
    lq_mirror_close(mirror);
    lq_mirror_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_as_requested),
        cmocka_unit_test(picks_the_size_of_nearest_proportions),
        cmocka_unit_test(follows_a_video),
        cmocka_unit_test(points_nails_along_a_hand_soon),
        cmocka_unit_test(guesses_no_direction_before_the_hand),
        cmocka_unit_test(follows_a_hand_in_few_frames),
        cmocka_unit_test(forgets_when_another_video_begins),
        cmocka_unit_test(goes_on_after_a_network_failed),
        cmocka_unit_test(does_without_a_hand_network),
        cmocka_unit_test(refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
