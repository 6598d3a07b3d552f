#include "eval/metrics.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 100, H = 80 };

static uint8_t drawn[W * H], predicted[W * H];

// The state of an evaluation of several pictures.
struct run {
    struct lq_metrics metrics;
    struct lq_tally tally;
};

static void start(struct run *run)
{
    run->tally = (struct lq_tally){0};
    lq_metrics_init(&run->metrics);
}

static void add(struct run *run)
{
    struct lq_score score;
    assert_ok(lq_metrics_score(&run->metrics, predicted, drawn, W, H, &score));
    lq_tally_add(&run->tally, &score);
}

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
    struct run m;
    start(&m);
    clear();
    box(drawn, 10, 10, 20, 20);
    box(drawn, 60, 40, 12, 30);
    memcpy(predicted, drawn, sizeof drawn);
    add(&m);
    assert_float_equal(lq_tally_iou(&m.tally), 1, 0);
    assert_float_equal(lq_tally_mean_iou(&m.tally), 1, 0);
    assert_float_equal(lq_tally_boundary_f(&m.tally), 1, 0);
    assert_int_equal(m.tally.found, 2);
    assert_int_equal(m.tally.missed + m.tally.false_, 0);
    assert_true(isnan(lq_tally_false_paint(&m.tally)));
    lq_metrics_release(&m.metrics);
}

static void iou_sums_pixels_and_mean_iou_pictures(void **state)
{
    (void)state;
    struct run m;
    start(&m);
    clear();
    box(drawn, 0, 0, 10, 10);
    box(predicted, 0, 0, 10, 5); // half of it: 50 / 100
    add(&m);
    clear();
    box(drawn, 50, 50, 20, 15);
    box(predicted, 50, 50, 20, 15); // 300 / 300
    add(&m);
    assert_float_equal(lq_tally_iou(&m.tally), 350.0 / 400.0, 1e-12);
    assert_float_equal(lq_tally_mean_iou(&m.tally), 0.75, 1e-12);
    lq_metrics_release(&m.metrics);
}

static void boundary_forgives_two_pixels_but_not_three(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 3; shift++) {
        struct run m;
        start(&m);
        clear();
        box(drawn, 20, 20, 30, 30);
        box(predicted, 20 + shift, 20, 30, 30);
        add(&m);
        if (shift <= 2)
            assert_float_equal(lq_tally_boundary_f(&m.tally), 1, 1e-12);
        else
            assert_true(lq_tally_boundary_f(&m.tally) < 0.8);
        lq_metrics_release(&m.metrics);
    }
}

static void nails_are_found_missed_or_false(void **state)
{
    (void)state;
    struct run m;
    start(&m);
    clear();
    box(drawn, 0, 0, 10, 10);
    box(predicted, 0, 0, 10, 5);    // exactly half: found
    box(drawn, 30, 0, 10, 10);
    box(predicted, 30, 0, 10, 4);   // less than half: missed, but not false
    box(predicted, 60, 60, 10, 10); // on nothing: false
    box(predicted, 90, 70, 3, 3);   // a speck: not counted
    add(&m);
    assert_int_equal(m.tally.found, 1);
    assert_int_equal(m.tally.missed, 1);
    assert_int_equal(m.tally.false_, 1);
    lq_metrics_release(&m.metrics);
}

static void false_paint_counts_blank_pictures_only(void **state)
{
    (void)state;
    struct run m;
    start(&m);
    clear();
    box(predicted, 0, 0, 10, 8); // 80 of 8000
    add(&m);
    assert_float_equal(lq_tally_boundary_f(&m.tally), 0, 0);
    box(drawn, 50, 50, 10, 10);
    box(predicted, 20, 20, 30, 30);
    add(&m);
    assert_float_equal(lq_tally_false_paint(&m.tally), 0.01, 1e-12);
    assert_int_equal(m.tally.blank_images, 1);
    lq_metrics_release(&m.metrics);
}

static void empty_masks_agree(void **state)
{
    (void)state;
    struct run m;
    start(&m);
    clear();
    add(&m);
    assert_float_equal(lq_tally_iou(&m.tally), 1, 0);
    assert_float_equal(lq_tally_boundary_f(&m.tally), 1, 0);
    assert_float_equal(lq_tally_false_paint(&m.tally), 0, 0);
    lq_metrics_release(&m.metrics);
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
