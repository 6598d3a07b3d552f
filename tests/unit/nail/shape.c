#include "nail/shape.h"

#include <string.h>

#include "unit/unit.h"

enum { W = 70, H = 50 };

static uint8_t alpha[W * H];

static struct lq_nail box(int x0, int y0, int x1, int y1)
{
    memset(alpha, 0, sizeof(alpha));
    for (int y = y0; y < y1; y++)
        memset(alpha + y * W + x0, 255, (size_t)(x1 - x0));
    struct lq_nail nail = {.x = 100, .y = 200, .width = W, .height = H, .alpha = alpha,
                           .alpha_stride = W};
    return nail;
}

static void measures_a_box(void **state)
{
    (void)state;
    struct lq_nail nail = box(20, 10, 50, 22);
    lq_shape_measure(&nail);
    assert_int_equal(nail.area, 30 * 12);
    assert_float_equal(nail.center_x, 135.0f, 1e-3f);
    assert_float_equal(nail.center_y, 216.0f, 1e-3f);
    assert_float_equal(nail.axis_x, 1.0f, 1e-3f);
    assert_float_equal(nail.length / nail.breadth, 2.5f, 0.02f);
}

static void trims_to_what_is_covered(void **state)
{
    (void)state;
    struct lq_nail nail = box(20, 10, 50, 22);
    alpha[30 * W + 60] = 1; // the faintest cover still counts
    lq_shape_measure(&nail);
    int margin = 2 + (int)(nail.breadth * 0.06f);
    lq_shape_trim(&nail);
    assert_int_equal(nail.x, 120 - margin);
    assert_int_equal(nail.y, 210 - margin);
    assert_int_equal(nail.width, 41 + 2 * margin);
    assert_int_equal(nail.height, 21 + 2 * margin);
    assert_ptr_equal(nail.alpha, alpha + (10 - margin) * W + 20 - margin);
    assert_int_equal(nail.alpha[(size_t)margin * nail.alpha_stride + (size_t)margin], 255);
}

static void keeps_to_the_crop(void **state)
{
    (void)state;
    struct lq_nail nail = box(0, 0, W, H);
    lq_shape_measure(&nail);
    lq_shape_trim(&nail);
    assert_int_equal(nail.x, 100);
    assert_int_equal(nail.width, W);
    assert_int_equal(nail.height, H);
    nail = box(0, 0, 0, 0);
    lq_shape_measure(&nail);
    lq_shape_trim(&nail);
    assert_int_equal(nail.area, 0);
    assert_int_equal(nail.width, W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_a_box),
        cmocka_unit_test(trims_to_what_is_covered),
        cmocka_unit_test(keeps_to_the_crop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
