#include "frame/window.h"

#include "unit/unit.h"

enum { W = 1000, H = 800, POINTS = 160, NARROW_PIXELS = 213 };

static const struct lq_image picture = {NULL, W, H, 3, 8, 3 * W};
static struct lq_nails nails;
static struct lq_window windows[LQ_WINDOWS_MAX];

static void add(float x, float y, float length)
{
    struct lq_nail *nail = &nails.items[nails.count++];
    *nail = (struct lq_nail){.center_x = x, .center_y = y, .length = length,
                             .width = 0.7f * length,
                             .crop = {(int)(x - 0.35f * length), (int)(y - 0.5f * length),
                                      (int)(0.7f * length), (int)length}};
}

static float side_of_window(float length)
{
    nails.count = 0;
    add(500, 400, length);
    assert_int_equal(lq_windows_choose(windows, &picture, &nails, POINTS), 1);
    assert_true(windows[0].x0 < 500 - 0.5f * length && windows[0].x1 > 500 + 0.5f * length);
    assert_true(windows[0].y0 < 400 - 0.5f * length && windows[0].y1 > 400 + 0.5f * length);
    return lq_window_side(&windows[0]);
}

// A small nail's window is four nails wide; a large one's, which has pixels enough, two and a half.
static void a_window_is_narrow_where_the_picture_is_fine(void **state)
{
    (void)state;
    assert_float_equal(side_of_window(30), 4 * 30, 2);
    assert_float_equal(side_of_window(70), NARROW_PIXELS, 2);
    assert_float_equal(side_of_window(120), 2.5f * 120, 2);
    nails.count = 0;
    add(500, 400, 400); // as large as the picture: no window would show it closer
    assert_int_equal(lq_windows_choose(windows, &picture, &nails, POINTS), 0);
}

static void neighbours_share_a_window_and_others_do_not(void **state)
{
    (void)state;
    nails.count = 0;
    add(100, 100, 40);
    add(150, 100, 40);
    add(850, 650, 40);
    assert_int_equal(lq_windows_choose(windows, &picture, &nails, POINTS), 2);
    assert_true(windows[0].x0 < 100 - 14 && windows[0].x1 > 150 + 14 && windows[0].x0 >= 0);
    assert_true(windows[1].x0 < 850 - 14 && windows[1].x1 > 850 + 14 && windows[1].x1 <= W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_narrow_where_the_picture_is_fine),
        cmocka_unit_test(neighbours_share_a_window_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
