#include "cli/metrics.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 100, H = 80 };

static uint8_t drawn[W * H], predicted[W * H];

static void clear(void)
{
    memset(drawn, 0, sizeof drawn);
    memset(predicted, 0, sizeof predicted);
}

static void box(uint8_t *mask, int x0, int y0, int width, int height)
{
    for (int y = y0; y < y0 + height; y++)
        memset(mask + y * W + x0, 255, (size_t)width);
}

static void equal_masks_are_perfect(void **state)
{
    (void)state;
    struct lq_metrics m;
    lq_metrics_init(&m);
    clear();
    box(drawn, 10, 10, 20, 20);
    box(drawn, 60, 40, 12, 30);
    memcpy(predicted, drawn, sizeof drawn);
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_float_equal(lq_metrics_iou(&m), 1, 0);
    assert_float_equal(lq_metrics_mean_iou(&m), 1, 0);
    assert_float_equal(lq_metrics_boundary_f(&m), 1, 0);
    assert_int_equal(m.found, 2);
    assert_int_equal(m.missed + m.false_, 0);
    assert_true(isnan(lq_metrics_false_paint(&m)));
    lq_metrics_release(&m);
}

static void iou_sums_pixels_and_mean_iou_pictures(void **state)
{
    (void)state;
    struct lq_metrics m;
    lq_metrics_init(&m);
    clear();
    box(drawn, 0, 0, 10, 10);
    box(predicted, 0, 0, 10, 5); // half of it: 50 / 100
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    clear();
    box(drawn, 50, 50, 20, 15);
    box(predicted, 50, 50, 20, 15); // 300 / 300
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_float_equal(lq_metrics_iou(&m), 350.0 / 400.0, 1e-12);
    assert_float_equal(lq_metrics_mean_iou(&m), 0.75, 1e-12);
    lq_metrics_release(&m);
}

static void boundary_forgives_two_pixels_but_not_three(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 3; shift++) {
        struct lq_metrics m;
        lq_metrics_init(&m);
        clear();
        box(drawn, 20, 20, 30, 30);
        box(predicted, 20 + shift, 20, 30, 30);
        assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
        if (shift <= 2)
            assert_float_equal(lq_metrics_boundary_f(&m), 1, 1e-12);
        else
            assert_true(lq_metrics_boundary_f(&m) < 0.8);
        lq_metrics_release(&m);
    }
}

static void nails_are_found_missed_or_false(void **state)
{
    (void)state;
    struct lq_metrics m;
    lq_metrics_init(&m);
    clear();
    box(drawn, 0, 0, 10, 10);
    box(predicted, 0, 0, 10, 5);    // exactly half: found
    box(drawn, 30, 0, 10, 10);
    box(predicted, 30, 0, 10, 4);   // less than half: missed, but not false
    box(predicted, 60, 60, 10, 10); // on nothing: false
    box(predicted, 90, 70, 3, 3);   // a speck: not counted
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_int_equal(m.found, 1);
    assert_int_equal(m.missed, 1);
    assert_int_equal(m.false_, 1);
    lq_metrics_release(&m);
}

static void false_paint_counts_blank_pictures_only(void **state)
{
    (void)state;
    struct lq_metrics m;
    lq_metrics_init(&m);
    clear();
    box(predicted, 0, 0, 10, 8); // 80 of 8000
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_float_equal(lq_metrics_boundary_f(&m), 0, 0);
    box(drawn, 50, 50, 10, 10);
    box(predicted, 20, 20, 30, 30);
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_float_equal(lq_metrics_false_paint(&m), 0.01, 1e-12);
    assert_int_equal(m.blank_images, 1);
    lq_metrics_release(&m);
}

static void empty_masks_agree(void **state)
{
    (void)state;
    struct lq_metrics m;
    lq_metrics_init(&m);
    clear();
    assert_ok(lq_metrics_add(&m, predicted, drawn, W, H));
    assert_float_equal(lq_metrics_iou(&m), 1, 0);
    assert_float_equal(lq_metrics_boundary_f(&m), 1, 0);
    assert_float_equal(lq_metrics_false_paint(&m), 0, 0);
    lq_metrics_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_masks_are_perfect),
        cmocka_unit_test(iou_sums_pixels_and_mean_iou_pictures),
        cmocka_unit_test(boundary_forgives_two_pixels_but_not_three),
        cmocka_unit_test(nails_are_found_missed_or_false),
        cmocka_unit_test(false_paint_counts_blank_pictures_only),
        cmocka_unit_test(empty_masks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
