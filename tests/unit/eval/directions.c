#include "eval/directions.h"

#include <math.h>

#include "unit/unit.h"

// One frame with nail `id`, whose direction is `degrees`.
static struct lq_nails frame(int id, float degrees, bool tip_known)
{
    float angle = degrees * 3.1415927f / 180;
    return (struct lq_nails){.count = 1, .items = {{.id = id, .axis_x = cosf(angle),
                                                    .axis_y = sinf(angle),
                                                    .tip_known = tip_known}}};
}

static int flips_of(const struct lq_nails *frames, int count, int *pairs)
{
    struct lq_flips flips = {0};
    for (int i = 0; i < count; i++)
        lq_flips_add(&flips, &frames[i]);
    *pairs = flips.pairs;
    return flips.count;
}

static void counts_turns_beyond_35_degrees(void **state)
{
    (void)state;
    int pairs;
    struct lq_nails slow[] = {frame(1, 0, true), frame(1, 34, true), frame(1, 68, true)};
    struct lq_nails flip[] = {frame(1, 0, true), frame(1, 180, true), frame(1, 144, true)};
    assert_int_equal(flips_of(slow, 3, &pairs), 0);
    assert_int_equal(pairs, 2);
    assert_int_equal(flips_of(flip, 3, &pairs), 2);
}

// Without a known tip, both directions are the same axis; another id is another nail.
static void an_axis_has_two_ways(void **state)
{
    (void)state;
    int pairs;
    struct lq_nails axis[] = {frame(1, 10, false), frame(1, 190, true), frame(1, 100, false)};
    struct lq_nails other[] = {frame(1, 0, true), frame(2, 180, true)};
    assert_int_equal(flips_of(axis, 3, &pairs), 1);
    assert_int_equal(pairs, 2);
    assert_int_equal(flips_of(other, 2, &pairs), 0);
    assert_int_equal(pairs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_turns_beyond_35_degrees),
        cmocka_unit_test(an_axis_has_two_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
