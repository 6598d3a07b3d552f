// A rendered hand of which one nail was overlooked, or is hidden.
#include "frame/fingertips.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "unit/hand.h"

static struct lq_error err;
static struct lq_buf pixels;
static struct lq_image picture;
static struct lq_runner *runner;
static struct lq_nail_finder *finder;
static struct lq_hand_finder *hands;
static struct lq_fingertips *fingertips;
static struct lq_nails nails, all; // `all`: every nail of the hand

static void decode(void)
{
    struct lq_codec *codec;
    assert_ok(lq_codec_new(&codec, &err));
    assert_ok(lq_codec_decode(codec,
                              &(struct lq_picture_file){input.data, input.len,
                                                        LQ_FRAME_PIXELS_MAX},
                              &pixels, &picture, NULL, &err));
    lq_codec_free(codec);
}

static void detect(void)
{
    const struct lq_patch *patches;
    const struct lq_nails *found;
    int count;
    assert_ok(lq_runner_prepare(runner, &picture, true, &err));
    assert_ok(lq_runner_infer(runner, 0, &err));
    assert_ok(lq_runner_patches(runner, &patches, &count, &err));
    assert_ok(lq_nail_find(finder, &picture, patches, count, &found, &err));
    nails = *found;
}

static int open_parts(void **state)
{
    lq_buf_init(&pixels, 1 << 24);
    if (open_all(state) || lq_runner_new(&runner, model, &err) != LQ_OK ||
        lq_nail_finder_new(&finder) != LQ_OK || lq_fingertips_new(&fingertips) != LQ_OK ||
        lq_hand_finder_new(&hands, lq_model_landmarks(model), &err) != LQ_OK)
        return -1;
    decode();
    detect();
    all = nails;
    return 0;
}

static int close_parts(void **state)
{
    lq_fingertips_free(fingertips);
    lq_hand_finder_free(hands);
    lq_nail_finder_free(finder);
    lq_runner_free(runner);
    lq_buf_release(&pixels);
    return close_all(state);
}

static int search(struct lq_passes *passes)
{
    const struct lq_fingertips_job job = {&picture, hands, &nails, passes};
    return lq_fingertips_search(fingertips, &job, &err);
}

// Finds the hand without nail `index`, then looks at its fingertips; returns the number of runs.
static int overlook(int index, uint64_t deadline_us, int *status)
{
    struct lq_passes passes = {.runner = runner, .deadline_us = deadline_us, .exclusive = true};
    detect();
    memmove(&nails.items[index], &nails.items[index + 1],
            (size_t)(nails.count - index - 1) * sizeof(nails.items[0]));
    nails.count--;
    assert_ok(lq_hand_estimate(hands, &picture, &nails, NULL, &err));
    *status = search(&passes);
    return passes.count;
}

static void an_overlooked_nail_is_found_on_its_finger(void **state)
{
    (void)state;
    static const float near_px = 4.0f;
    assert_int_equal(all.count, LQ_HAND_FINGERS);
    for (int i = 0; i < all.count; i++) {
        int status, runs = overlook(i, 0, &status);
        assert_ok(status);
        assert_in_range(runs, 2, 4);
        assert_int_equal(nails.count, all.count);
        unsigned fingers = 0;
        for (int j = 0; j < nails.count; j++) {
            const struct lq_nail *nail = &nails.items[j];
            assert_int_equal(nail->id, j + 1);
            assert_true(hypotf(nail->center_x - all.items[j].center_x,
                               nail->center_y - all.items[j].center_y) < near_px);
            assert_true(nail->on_finger && nail->tip_known);
            fingers |= 1u << nail->finger;
        }
        assert_int_equal(fingers, 0x3e); // thumb to little finger, each once
    }
}

static void a_complete_hand_is_not_looked_at_again(void **state)
{
    (void)state;
    struct lq_passes passes = {.runner = runner, .exclusive = true};
    detect();
    assert_ok(lq_hand_estimate(hands, &picture, &nails, NULL, &err));
    assert_ok(search(&passes));
    assert_int_equal(passes.count, 0);
    assert_int_equal(nails.count, all.count);
}

// The colour of the skin half a nail behind the nail covers it and its surroundings.
static void hide(const struct lq_nail *nail)
{
    const int reach = (int)(0.9f * nail->length);
    uint8_t skin[3];
    memcpy(skin, lq_image_row(&picture, (int)(nail->center_y - nail->axis_y * nail->length)) +
                     3 * (int)(nail->center_x - nail->axis_x * nail->length), sizeof skin);
    for (int y = -reach; y <= reach; y++)
        for (int x = -reach; x <= reach; x++)
            if (x * x + y * y <= reach * reach)
                memcpy(lq_image_row(&picture, (int)nail->center_y + y) +
                           3 * ((int)nail->center_x + x), skin, sizeof skin);
}

static void a_hidden_nail_stays_hidden(void **state)
{
    (void)state;
    struct lq_passes passes = {.runner = runner, .exclusive = true};
    detect();
    assert_ok(lq_hand_estimate(hands, &picture, &nails, NULL, &err));
    hide(&nails.items[2]);
    detect();
    assert_int_equal(nails.count, all.count - 1);
    assert_ok(lq_hand_estimate(hands, &picture, &nails, NULL, &err));
    assert_ok(search(&passes));
    assert_true(passes.count > 0);
    assert_int_equal(nails.count, all.count - 1);
    decode();
}

static void a_picture_nobody_waits_for_is_skipped(void **state)
{
    (void)state;
    int status, runs = overlook(0, 1, &status);
    assert_int_equal(status, LQ_ERR_TIMEOUT);
    assert_int_equal(runs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlooked_nail_is_found_on_its_finger),
        cmocka_unit_test(a_complete_hand_is_not_looked_at_again),
        cmocka_unit_test(a_hidden_nail_stays_hidden),
        cmocka_unit_test(a_picture_nobody_waits_for_is_skipped),
    };
    return cmocka_run_group_tests(tests, open_parts, close_parts);
}
