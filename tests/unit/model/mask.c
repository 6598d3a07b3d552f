#include <math.h>
#include <string.h>

#include "model/decode.h"
#include "unit/unit.h"

enum { WIDTH = 6, HEIGHT = 4, COUNT = WIDTH * HEIGHT };

static const struct lq_layout one = {.map_channels_first = true, .map_channels = 1,
                                     .map_width = WIDTH, .map_height = HEIGHT};
static const struct lq_rules rules = {.threshold = 0.5f, .nail_channel = 1};
// A picture of 120 x 80 stretched over a tensor of 12 x 8.
static const struct lq_geometry stretched = {12, 8, 0, 0, 0.1f, 0.1f, 120, 80};

static void probabilities_pass_through(void **state)
{
    (void)state;
    float map[COUNT], grid[COUNT];
    for (int i = 0; i < COUNT; i++)
        map[i] = (float)i / COUNT;
    struct lq_patch patch;
    lq_mask_decode(&one, &rules, &stretched, map, grid, &patch);
    assert_memory_equal(grid, map, sizeof map);
    assert_ptr_equal(patch.data, grid);
    assert_int_equal(patch.width, WIDTH);
    assert_int_equal(patch.height, HEIGHT);
    assert_int_equal(patch.stride, WIDTH);
    assert_false(patch.single);
    // Each grid point is the centre of 20 x 20 picture pixels.
    assert_true(fabsf(patch.x0 - 10) < 1e-4f && fabsf(patch.dx - 20) < 1e-4f);
    assert_true(fabsf(patch.y0 - 10) < 1e-4f && fabsf(patch.dy - 20) < 1e-4f);
    assert_true(patch.box.x == 0 && patch.box.y == 0 && patch.box.width == 120 &&
                patch.box.height == 80);
}

static void letterbox_is_undone(void **state)
{
    (void)state;
    // 100 x 50 in the middle of 12 x 8: scale 0.12, 6 rows high, 1 above.
    const struct lq_geometry boxed = {12, 8, 0, 1, 0.12f, 0.12f, 100, 50};
    float map[COUNT] = {0}, grid[COUNT];
    struct lq_patch patch;
    lq_mask_decode(&one, &rules, &boxed, map, grid, &patch);
    assert_true(fabsf(patch.x0 - 1 / 0.12f) < 1e-3f); // first centre at tensor x 1
    assert_true(fabsf(patch.y0 - 0) < 1e-3f);         // and y 1, the picture's top edge
    assert_true(fabsf(patch.dx - 2 / 0.12f) < 1e-3f);
}

static void logits_are_recognised(void **state)
{
    (void)state;
    float map[COUNT], grid[COUNT];
    for (int i = 0; i < COUNT; i++)
        map[i] = i == 5 ? 3.0f : -6.0f;
    struct lq_patch patch;
    lq_mask_decode(&one, &rules, &stretched, map, grid, &patch);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(grid[i] - 1 / (1 + expf(-map[i]))) < 1e-6f);
    // Declared as probabilities, the same values are clamped.
    struct lq_rules declared = rules;
    declared.values = LQ_VALUES_PROBABILITY;
    lq_mask_decode(&one, &declared, &stretched, map, grid, &patch);
    assert_true(grid[5] == 1.0f && grid[0] == 0.0f);
    // A sidecar's declaration is ignored if the values contradict it.
    assert_int_equal(lq_mask_values(&one, LQ_VALUES_PROBABILITY, map), LQ_VALUES_LOGITS);
    assert_int_equal(lq_mask_values(&one, LQ_VALUES_AUTO, map), LQ_VALUES_LOGITS);
    memset(map, 0, sizeof map);
    assert_int_equal(lq_mask_values(&one, LQ_VALUES_PROBABILITY, map), LQ_VALUES_PROBABILITY);
    assert_int_equal(lq_mask_values(&one, LQ_VALUES_AUTO, map), LQ_VALUES_PROBABILITY);
    assert_int_equal(lq_mask_values(&one, LQ_VALUES_LOGITS, map), LQ_VALUES_LOGITS);
}

static void two_channels_in_both_orders(void **state)
{
    (void)state;
    float planes[2 * COUNT], pairs[2 * COUNT], grid[COUNT], again[COUNT];
    uint32_t seed = 7;
    for (int i = 0; i < COUNT; i++)
        for (int c = 0; c < 2; c++)
            pairs[2 * i + c] = planes[c * COUNT + i] =
                (float)(unit_random(&seed) % 1000) / 50.0f - 10.0f;
    struct lq_layout layout = one;
    layout.map_channels = 2;
    struct lq_patch patch;
    lq_mask_decode(&layout, &rules, &stretched, planes, grid, &patch);
    layout.map_channels_first = false;
    lq_mask_decode(&layout, &rules, &stretched, pairs, again, &patch);
    assert_memory_equal(grid, again, sizeof grid);
    for (int i = 0; i < COUNT; i++) {
        float rest = expf(planes[i]), nail = expf(planes[COUNT + i]); // softmax, spelled out
        assert_true(fabsf(grid[i] - nail / (nail + rest)) < 1e-5f);
    }
    struct lq_rules swapped = rules;
    swapped.nail_channel = 0;
    lq_mask_decode(&layout, &swapped, &stretched, pairs, again, &patch);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(grid[i] + again[i] - 1) < 1e-5f);
}

static void broken_numbers_are_not_nail(void **state)
{
    (void)state;
    enum { BIG = 40 * 40 }; // so large that a few outliers are below the share that means "logits"
    static float map[BIG], grid[BIG];
    const struct lq_layout layout = {.map_channels_first = true, .map_channels = 1,
                                     .map_width = 40, .map_height = 40};
    for (int i = 0; i < BIG; i++)
        map[i] = 0.25f;
    map[3] = NAN, map[4] = INFINITY, map[5] = -INFINITY, map[6] = 1.0005f;
    struct lq_patch patch;
    lq_mask_decode(&layout, &rules, &stretched, map, grid, &patch);
    assert_true(grid[3] == 0 && grid[4] == 0 && grid[5] == 0 && grid[6] == 1);
    assert_true(grid[0] == 0.25f);
    for (int i = 0; i < BIG; i++)
        map[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    lq_mask_decode(&layout, &rules, &stretched, map, grid, &patch);
    for (int i = 0; i < BIG; i++)
        assert_true(grid[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_pass_through), cmocka_unit_test(letterbox_is_undone),
        cmocka_unit_test(logits_are_recognised),      cmocka_unit_test(two_channels_in_both_orders),
        cmocka_unit_test(broken_numbers_are_not_nail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
