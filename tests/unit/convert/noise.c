#include "convert/noise.h"

#include <math.h>

#include "unit/unit.h"

enum { WIDTH = 37, CHANNELS = 2, ITEMS = WIDTH * CHANNELS };

// Two channels of one tensor and of another that is `far` away in the second.
static void set_numbers(float *want, float *got, float far)
{
    for (int i = 0; i < WIDTH; i++) {
        want[i] = (float)(i % 5);
        want[WIDTH + i] = (float)(i % 2) * 2; // a variance of almost 1
        got[i] = want[i];
        got[WIDTH + i] = want[WIDTH + i] + (i % 3 == 0 ? far : -far);
    }
}

static void test_channels(void **state)
{
    (void)state;
    const struct lq_tensor first = {.rank = 4, .dims = {1, 8, 20, 30}};
    const struct lq_tensor last = {.rank = 4, .dims = {1, 20, 30, 8}};
    const struct lq_tensor row = {.rank = 2, .dims = {1, 8}};
    struct lq_channels channels = lq_channels_of(&first);
    assert_int_equal(channels.count, 8);
    assert_int_equal(channels.inner, 600);
    channels = lq_channels_of(&last);
    assert_int_equal(channels.count, 8);
    assert_int_equal(channels.inner, 1);
    channels = lq_channels_of(&row);
    assert_int_equal(channels.count, 1);
    assert_int_equal(channels.items, 8);
}

static void test_noise_is_relative_to_the_channel(void **state)
{
    (void)state;
    float want[ITEMS], got[ITEMS];
    const struct lq_channels channels = {ITEMS, CHANNELS, WIDTH};
    struct lq_noise_sums sums[CHANNELS] = {{0}, {0}};
    set_numbers(want, got, .5f);
    assert_float_equal(lq_noise_add(sums, &channels, want, got), .5, 0);
    double mean = 36.0 / WIDTH, variance = 72.0 / WIDTH - mean * mean;
    assert_float_equal(lq_noise_of(sums, CHANNELS), .25 / variance / 2, 1e-5);
}

// The result equals that of channels-first data, number by number.
static void test_channels_last_are_as_first(void **state)
{
    (void)state;
    float want[ITEMS], got[ITEMS], want_last[ITEMS], got_last[ITEMS];
    const struct lq_channels first = {ITEMS, CHANNELS, WIDTH}, last = {ITEMS, CHANNELS, 1};
    struct lq_noise_sums a[CHANNELS] = {{0}, {0}}, b[CHANNELS] = {{0}, {0}};
    set_numbers(want, got, .25f);
    for (int i = 0; i < ITEMS; i++) {
        want_last[i] = want[i % CHANNELS * WIDTH + i / CHANNELS];
        got_last[i] = got[i % CHANNELS * WIDTH + i / CHANNELS];
    }
    assert_float_equal(lq_noise_add(a, &first, want, got), .25, 0);
    assert_float_equal(lq_noise_add(b, &last, want_last, got_last), .25, 0);
    assert_float_equal(lq_noise_of(a, CHANNELS), lq_noise_of(b, CHANNELS), 1e-12);
}

static void test_nan_is_reported(void **state)
{
    (void)state;
    float want[ITEMS], got[ITEMS];
    const struct lq_channels channels = {ITEMS, CHANNELS, WIDTH};
    struct lq_noise_sums sums[CHANNELS] = {{0}, {0}};
    set_numbers(want, got, 0);
    got[3] = NAN;
    assert_true(isnan(lq_noise_add(sums, &channels, want, got)));
    assert_false(isfinite(lq_noise_of(sums, CHANNELS)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_noise_is_relative_to_the_channel),
        cmocka_unit_test(test_channels_last_are_as_first),
        cmocka_unit_test(test_nan_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
