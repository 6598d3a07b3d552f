#include "eval/raw_mask.h"

#include <string.h>

#include "unit/unit.h"

enum { W = 16, H = 12 };

static uint8_t bytes[W * H];
static struct lq_image mask = {bytes, W, H, 1, 8, W};

static int count_painted(void)
{
    int count = 0;
    for (int i = 0; i < W * H; i++)
        count += bytes[i] == 255;
    return count;
}

// A grid of 4x3 points over the whole picture, 4 pixels apart.
static struct lq_patch whole(const float *data)
{
    return (struct lq_patch){.confidence = 1, .threshold = 0.5f, .width = 4, .height = 3,
                             .stride = 4, .data = data, .x0 = 2, .y0 = 2, .dx = 4, .dy = 4,
                             .box = {0, 0, W, H}};
}

static void edge_lies_where_the_line_between_points_crosses(void **state)
{
    (void)state;
    // 0 0 1 1 in every row: the value is 0.5 half way between the grid points at x 6 and 10.
    const float data[] = {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1};
    struct lq_patch patch = whole(data);
    memset(bytes, 77, sizeof bytes);
    lq_raw_mask_draw(&mask, &patch, 1);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_int_equal(bytes[y * W + x], x >= 8 ? 255 : 0);
}

static void threshold_is_the_patchs_own(void **state)
{
    (void)state;
    const float data[] = {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1};
    struct lq_patch patch = whole(data);
    patch.threshold = 0.8f; // crossed at x 9.2: pixel centres from 9.5 on
    lq_raw_mask_draw(&mask, &patch, 1);
    assert_int_equal(count_painted(), (W - 9) * H);
}

static void nothing_is_drawn_outside_a_box(void **state)
{
    (void)state;
    const float data[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct lq_patch patches[] = {whole(data), whole(data)};
    patches[0].box = (struct lq_float_box){3, 2, 5, 4};
    patches[1].box = (struct lq_float_box){12, 8, 100, 100};
    lq_raw_mask_draw(&mask, patches, 2);
    assert_int_equal(count_painted(), 5 * 4 + 4 * 4);
    assert_int_equal(bytes[2 * W + 3], 255);
    assert_int_equal(bytes[2 * W + 8], 0);
}

static void no_patch_is_an_empty_mask(void **state)
{
    (void)state;
    memset(bytes, 255, sizeof bytes);
    lq_raw_mask_draw(&mask, NULL, 0);
    assert_int_equal(count_painted(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edge_lies_where_the_line_between_points_crosses),
        cmocka_unit_test(threshold_is_the_patchs_own),
        cmocka_unit_test(nothing_is_drawn_outside_a_box),
        cmocka_unit_test(no_patch_is_an_empty_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
