// Medians, spreads and ratios of rounds that were measured in turn.
#include "bench/rounds.h"
#include "bench/server.h"
#include "base/cpu.h"
#include "unit/unit.h"

static const struct lq_bench_rounds slow = {
    .count = 3, .one = {{.p50_ms = 90, .replies = 10}, {.p50_ms = 110, .replies = 11},
                        {.p50_ms = 100, .replies = 12}},
    .two = {{.fps = 9, .replies = 10}, {.fps = 12, .replies = 10}, {.fps = 10, .replies = 10}}};
static const struct lq_bench_rounds fast = {
    .count = 3, .two = {{.fps = 90}, {.fps = 60}, {.fps = 80}}};

static void medians_and_spread(void **state)
{
    (void)state;
    struct lq_bench_row row = {0};
    lq_bench_rounds_sum(&slow, &row);
    assert_true(row.two.fps == 10 && row.fps_low == 9 && row.fps_high == 12);
    assert_true(row.one.p50_ms == 100);
    assert_int_equal(row.one.replies + row.two.replies, 63);
    assert_int_equal(row.rounds, 3);
}

static void ratios_are_of_pairs(void **state)
{
    (void)state;
    struct lq_bench_ratio ratio = lq_bench_rounds_ratio(&fast, &slow);
    assert_true(ratio.low == 5 && ratio.median == 8 && ratio.high == 10);
    const struct lq_bench_rounds none = {0};
    assert_true(lq_bench_rounds_ratio(&none, &slow).median == 0);
    assert_true(lq_bench_rounds_ratio(&fast, &none).median == 0);
}

static void busy_machines_are_known(void **state)
{
    (void)state;
    int cores = lq_cpu_count();
    assert_false(lq_machine_is_busy(3, 0.1));
    assert_true(lq_machine_is_busy(16, 0.1));
    assert_true(lq_machine_is_busy(3, cores + 0.5));
    assert_false(lq_machine_is_busy(-1, -1)); // nothing is known
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_and_spread),
        cmocka_unit_test(ratios_are_of_pairs),
        cmocka_unit_test(busy_machines_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
