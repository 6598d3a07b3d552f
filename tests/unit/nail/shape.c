#include "nail/shape.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 70, H = 50 };

static uint8_t alpha[W * H];

static struct lq_nail box(int x0, int y0, int x1, int y1)
{
    memset(alpha, 0, sizeof(alpha));
    for (int y = y0; y < y1; y++)
        memset(alpha + y * W + x0, 255, (size_t)(x1 - x0));
    struct lq_nail nail = {.crop = {100, 200, W, H}, .alpha = alpha, .alpha_stride = W};
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
    assert_float_equal(nail.length / nail.width, 2.5f, 0.02f);
}

// A band of constant width along an arc of `angle` radians, its middle line `length` long.
static struct lq_nail arc(float length, float width, float angle)
{
    float radius = length / angle;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int inside = 0;
            for (int k = 0; k < 64; k++) {
                float dx = (float)x + ((float)(k % 8) + 0.5f) / 8 - W / 2.0f;
                float dy = (float)y + ((float)(k / 8) + 0.5f) / 8 - (10.0f + radius);
                inside += fabsf(atan2f(dx, -dy)) < angle / 2 &&
                          fabsf(hypotf(dx, dy) - radius) < width / 2;
            }
            alpha[y * W + x] = (uint8_t)(inside * 255 / 64);
        }
    return (struct lq_nail){.crop = {0, 0, W, H}, .alpha = alpha, .alpha_stride = W};
}

static void measures_how_the_middle_line_turns(void **state)
{
    (void)state;
    static const float angles[] = {0.01f, 0.2f, 0.5f};
    for (size_t i = 0; i < LQ_COUNT(angles); i++) {
        struct lq_nail nail = arc(50, 18, angles[i]);
        lq_shape_measure(&nail);
        lq_shape_bend(&nail);
        // The arc bulges upwards: from left to right it turns clockwise.
        float sign = nail.axis_x > 0 ? 1.0f : -1.0f;
        assert_float_equal(sign * nail.curvature, angles[i] * nail.length / 50, 0.02f);
        nail.axis_x = -nail.axis_x;
        nail.axis_y = -nail.axis_y;
        float before = nail.curvature;
        lq_shape_bend(&nail);
        assert_float_equal(nail.curvature, -before, 1e-4f);
    }
    struct lq_nail nail = box(0, 0, 0, 0);
    lq_shape_measure(&nail);
    lq_shape_bend(&nail);
    assert_true(nail.curvature == 0.0f);
}

static void trims_to_what_is_covered(void **state)
{
    (void)state;
    struct lq_nail nail = box(20, 10, 50, 22);
    alpha[30 * W + 60] = 1; // the faintest cover still counts
    lq_shape_measure(&nail);
    int margin = 2 + (int)(nail.width * 0.06f);
    lq_shape_trim(&nail);
    assert_int_equal(nail.crop.x, 120 - margin);
    assert_int_equal(nail.crop.y, 210 - margin);
    assert_int_equal(nail.crop.width, 41 + 2 * margin);
    assert_int_equal(nail.crop.height, 21 + 2 * margin);
    assert_ptr_equal(nail.alpha, alpha + (10 - margin) * W + 20 - margin);
    assert_int_equal(nail.alpha[(size_t)margin * nail.alpha_stride + (size_t)margin], 255);
}

static void stays_within_the_crop(void **state)
{
    (void)state;
    struct lq_nail nail = box(0, 0, W, H);
    lq_shape_measure(&nail);
    lq_shape_trim(&nail);
    assert_int_equal(nail.crop.x, 100);
    assert_int_equal(nail.crop.width, W);
    assert_int_equal(nail.crop.height, H);
    nail = box(0, 0, 0, 0);
    lq_shape_measure(&nail);
    lq_shape_trim(&nail);
    assert_int_equal(nail.area, 0);
    assert_int_equal(nail.crop.width, W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_a_box),
        cmocka_unit_test(measures_how_the_middle_line_turns),
        cmocka_unit_test(trims_to_what_is_covered),
        cmocka_unit_test(stays_within_the_crop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
