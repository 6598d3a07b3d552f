// The region of a picture in which a hand's nails are detected again.
#include "nail/region.h"

#include "unit/unit.h"

enum { W = 640, H = 480 };

static const struct lq_image picture = {NULL, W, H, 3, 8, W * 3};

static struct lq_nail nail_at(int x, int y, int width, int height)
{
    return (struct lq_nail){.crop = {x, y, width, height}, .length = (float)height,
                            .width = (float)width};
}

static void contains_the_nails_expected_positions(void **state)
{
    (void)state;
    struct lq_region region = {0};
    struct lq_nail first = nail_at(200, 200, 16, 24), last = nail_at(300, 230, 16, 24);
    lq_region_add(&region, &first, 10, -5);
    lq_region_add(&region, &last, 10, -5);
    struct lq_pixel_box box;
    assert_true(lq_region_place(&region, &picture, &box));
    assert_true(box.x <= 210 - 24 && box.x + box.width >= 326 + 24);
    assert_true(box.y <= 195 - 24 && box.y + box.height >= 249 + 24);
    assert_true(box.width < W / 2 && 4 * box.height >= 3 * box.width - 4);
}

static void stays_within_the_picture(void **state)
{
    (void)state;
    static const int places[][2] = {{0, 0}, {W - 16, 0}, {0, H - 24}, {W - 16, H - 24}};
    for (size_t i = 0; i < LQ_COUNT(places); i++) {
        struct lq_region region = {0};
        struct lq_nail nail = nail_at(places[i][0], places[i][1], 16, 24);
        lq_region_add(&region, &nail, 0, 0);
        struct lq_pixel_box box;
        assert_true(lq_region_place(&region, &picture, &box));
        assert_true(box.x >= 0 && box.y >= 0 && box.x + box.width <= W && box.y + box.height <= H);
        assert_true(box.width >= 96 && box.height >= 96); // four nails across
        assert_false(lq_region_cuts(&box, &picture, &nail)); // it extends to the picture's border
    }
}

static void is_not_worth_it_for_what_is_large(void **state)
{
    (void)state;
    struct lq_pixel_box box;
    struct lq_region none = {0};
    assert_false(lq_region_place(&none, &picture, &box));
    struct lq_region large = {0};
    struct lq_nail close_up = nail_at(200, 100, 130, 170);
    lq_region_add(&large, &close_up, 0, 0);
    assert_false(lq_region_place(&large, &picture, &box));
    struct lq_region apart = {0};
    struct lq_nail left = nail_at(10, 200, 16, 24), right = nail_at(600, 200, 16, 24);
    lq_region_add(&apart, &left, 0, 0);
    lq_region_add(&apart, &right, 0, 0);
    assert_false(lq_region_place(&apart, &picture, &box));
}

static void reports_what_it_cuts(void **state)
{
    (void)state;
    const struct lq_pixel_box box = {100, 100, 200, 150};
    struct lq_nail inside = nail_at(150, 150, 16, 24), left = nail_at(95, 150, 16, 24);
    struct lq_nail below = nail_at(150, 230, 16, 24);
    assert_false(lq_region_cuts(&box, &picture, &inside));
    assert_true(lq_region_cuts(&box, &picture, &left));
    assert_true(lq_region_cuts(&box, &picture, &below));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contains_the_nails_expected_positions),
        cmocka_unit_test(stays_within_the_picture),
        cmocka_unit_test(is_not_worth_it_for_what_is_large),
        cmocka_unit_test(reports_what_it_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
