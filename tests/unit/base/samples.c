#include "base/samples.h"

#include "unit/unit.h"

static void add_all(struct lq_samples *samples, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_ok(lq_samples_add(samples, values[i]));
}

static void percentiles_lie_between_their_neighbours(void **state)
{
    (void)state;
    // Expected values are numpy.percentile's (its default, linear).
    static const double values[] = {15, 20, 35, 50, 40};
    struct lq_samples samples;
    lq_samples_init(&samples);
    add_all(&samples, values, 5);
    assert_float_equal(lq_samples_percentile(&samples, 0), 15, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 50), 35, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 40), 29, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 95), 48, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 100), 50, 1e-3);
    lq_samples_release(&samples);
}

static void few_samples_are_no_trouble(void **state)
{
    (void)state;
    struct lq_samples samples;
    lq_samples_init(&samples);
    assert_float_equal(lq_samples_percentile(&samples, 99), 0, 1e-3);
    assert_ok(lq_samples_add(&samples, 7));
    assert_float_equal(lq_samples_percentile(&samples, 0), 7, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 99), 7, 1e-3);
    assert_ok(lq_samples_add(&samples, 9));
    assert_float_equal(lq_samples_percentile(&samples, 50), 8, 1e-3);
    lq_samples_release(&samples);
}

static void many_samples_keep_their_order(void **state)
{
    (void)state;
    uint32_t seed = 5;
    struct lq_samples samples;
    lq_samples_init(&samples);
    // 0..9999 in a scrambled order: 7919 and 10000 share no factor.
    uint32_t value = unit_random(&seed) % 10000;
    for (int i = 0; i < 10000; i++) {
        assert_ok(lq_samples_add(&samples, value));
        value = (value + 7919) % 10000;
    }
    assert_float_equal(lq_samples_percentile(&samples, 50), 4999.5, 1e-3);
    assert_float_equal(lq_samples_percentile(&samples, 99), 9899.01, 1e-3);
    // A sample added after a percentile was computed counts too.
    assert_ok(lq_samples_add(&samples, 1e6));
    assert_float_equal(lq_samples_percentile(&samples, 100), 1e6, 1e-3);
    lq_samples_release(&samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_lie_between_their_neighbours),
        cmocka_unit_test(few_samples_are_no_trouble),
        cmocka_unit_test(many_samples_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
