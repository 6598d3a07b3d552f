#include "convert/histogram.h"

#include <math.h>
#include <stdlib.h>

#include "base/attr.h"
#include "unit/unit.h"

static struct lq_range_histogram *fresh(void)
{
    return calloc(1, sizeof(struct lq_range_histogram));
}

// The sum of twelve uniform numbers is nearly normally distributed.
static float normal(uint32_t *seed)
{
    float sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (float)(unit_random(seed) >> 8) / 16777216.0f;
    return sum;
}

static void fill(struct lq_range_histogram *histogram, int count)
{
    uint32_t seed = 99;
    float *numbers = malloc((size_t)count * sizeof *numbers);
    assert_non_null(numbers);
    for (int i = 0; i < count; i++)
        numbers[i] = normal(&seed);
    lq_range_histogram_add(histogram, numbers, (size_t)count);
    free(numbers);
}

static double sum_of(const struct lq_range_histogram *histogram)
{
    double sum = 0;
    for (int i = 0; i < LQ_RANGE_HISTOGRAM_BINS; i++)
        sum += histogram->bins[i];
    return sum;
}

static void test_grows(void **state)
{
    (void)state;
    struct lq_range_histogram *histogram = fresh();
    lq_range_histogram_add(histogram, (const float[]){0, 0, .5f, -.25f}, 4);
    assert_float_equal(histogram->range, .5, 0);
    lq_range_histogram_add(histogram, (const float[]){-300}, 1);
    assert_float_equal(histogram->range, 512, 0);
    assert_float_equal(histogram->largest, 300, 0);
    assert_float_equal(sum_of(histogram), 5, 0);
    // .5 and .25 are now in the bin of the zeros or the next one; 300 is in its own.
    assert_float_equal(histogram->bins[300 * LQ_RANGE_HISTOGRAM_BINS / 512], 1, 0);
    free(histogram);
}

// For any number of values at once, and any position of the unusual ones.
static void test_many_are_as_one_by_one(void **state)
{
    (void)state;
    struct lq_range_histogram *all = fresh(), *each = fresh();
    float numbers[2501];
    uint32_t seed = 7;
    for (size_t i = 0; i < LQ_COUNT(numbers); i++)
        numbers[i] = i % 500 == 17 ? NAN : i % 500 == 40 ? -INFINITY : i % 3 ? normal(&seed) : 0;
    numbers[2500] = -8; // the largest comes last, on the edge of a range
    lq_range_histogram_add(all, numbers, LQ_COUNT(numbers));
    lq_range_histogram_add(each, &numbers[2500], 1);
    for (size_t i = 0; i < LQ_COUNT(numbers) - 1; i++)
        lq_range_histogram_add(each, &numbers[i], 1);
    assert_memory_equal(all, each, sizeof *all);
    assert_int_equal(all->broken, 10);
    free(all);
    free(each);
}

static void test_broken_numbers_are_left_out(void **state)
{
    (void)state;
    struct lq_range_histogram *histogram = fresh();
    lq_range_histogram_add(histogram, (const float[]){NAN, INFINITY, -INFINITY, 2}, 4);
    assert_int_equal(histogram->broken, 3);
    assert_float_equal(histogram->largest, 2, 0);
    assert_float_equal(lq_range_choose(histogram, LQ_RANGE_MAX), 2, 0);
    free(histogram);
}

static void test_merge_is_as_one(void **state)
{
    (void)state;
    struct lq_range_histogram *a = fresh(), *b = fresh(), *all = fresh();
    const float small[] = {.1f, .01f, 0, .3f}, large[] = {7, -9, .2f};
    lq_range_histogram_add(a, small, 4);
    lq_range_histogram_add(b, large, 3);
    lq_range_histogram_add(all, large, 3);
    lq_range_histogram_add(all, small, 4);
    lq_range_histogram_merge(a, b);
    assert_memory_equal(a, all, sizeof *a);
    free(a);
    free(b);
    free(all);
}

static void test_zeros_have_no_range(void **state)
{
    (void)state;
    struct lq_range_histogram *histogram = fresh();
    for (int rule = 0; rule < LQ_RANGE_RULES; rule++)
        assert_float_equal(lq_range_choose(histogram, (enum lq_range_rule)rule), 0, 0);
    lq_range_histogram_add(histogram, (const float[]){0, 0}, 2);
    for (int rule = 0; rule < LQ_RANGE_RULES; rule++)
        assert_float_equal(lq_range_choose(histogram, (enum lq_range_rule)rule), 0, 0);
    free(histogram);
}

// The quantisation error of 127 levels over this range, computed number by number.
static double cost(double range)
{
    uint32_t seed = 99;
    double sum = 0, step = range / LQ_INT8_LEVELS;
    for (int i = 0; i < 100000; i++) {
        double number = (double)normal(&seed), level = rint(number / step);
        level = fmax(-LQ_INT8_LEVELS, fmin(LQ_INT8_LEVELS, level));
        sum += (number - level * step) * (number - level * step);
    }
    return sum;
}

static void test_squares_cost_least(void **state)
{
    (void)state;
    struct lq_range_histogram *histogram = fresh();
    fill(histogram, 100000);
    double range = lq_range_choose(histogram, LQ_RANGE_SQUARES);
    assert_true(cost(range) < cost(range * .85) && cost(range) < cost(range * 1.15));
    free(histogram);
}

// With an outlier, the range of max grows, and that of least squares may; the others do not.
static void test_an_outlier_is_clipped(void **state)
{
    (void)state;
    struct lq_range_histogram *histogram = fresh();
    fill(histogram, 100000);
    lq_range_histogram_add(histogram, (const float[]){60}, 1);
    assert_float_equal(lq_range_choose(histogram, LQ_RANGE_MAX), 60, 0);
    double percentile = lq_range_choose(histogram, LQ_RANGE_PERCENTILE);
    double entropy = lq_range_choose(histogram, LQ_RANGE_ENTROPY);
    assert_true(percentile > 3 && percentile < 5);
    assert_true(entropy > 2 && entropy < 12);
    free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_many_are_as_one_by_one),
        cmocka_unit_test(test_broken_numbers_are_left_out),
        cmocka_unit_test(test_merge_is_as_one),
        cmocka_unit_test(test_zeros_have_no_range),
        cmocka_unit_test(test_squares_cost_least),
        cmocka_unit_test(test_an_outlier_is_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
