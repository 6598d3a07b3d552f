#include "paint/extend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 120, H = 200 };

static uint8_t alpha[60 * 40], own[W * H], whole[W * H];
static const struct lq_image picture = {NULL, W, H, 3, 8, W * 3};

// An ellipse 30 wide and 44 long about (60, 120), its tip upwards.
static struct lq_nail upright_nail(void)
{
    struct lq_nail nail = {.id = 1, .crop = {40, 90, 40, 60}, .alpha = alpha,
                           .alpha_stride = 40, .center_x = 60, .center_y = 120, .axis_y = -1.0f,
                           .length = 44, .width = 30, .tip_known = true};
    for (int j = 0; j < 60; j++)
        for (int i = 0; i < 40; i++) {
            float u = ((float)j - 29.5f) / 22.0f, w = ((float)i - 19.5f) / 15.0f;
            alpha[j * 40 + i] = u * u + w * w < 1.0f ? 255 : 0;
        }
    return nail;
}

// Covered pixels in a row of the picture.
static int width_at(const struct lq_extent *extent, int y)
{
    int sum = 0;
    for (int i = 0; y >= extent->y && y < extent->y + extent->height && i < extent->width; i++)
        sum += whole[(y - extent->y) * extent->width + i];
    return (sum + 127) / 255;
}

static void adds_nothing_where_it_must_not(void **state)
{
    (void)state;
    struct lq_extent extent;
    struct lq_nail nail = upright_nail();
    struct lq_extension natural = {LQ_SHAPE_NATURAL, 0.5f}, oval = {LQ_SHAPE_OVAL, 0.5f};
    assert_false(lq_extend_measure(&extent, &natural, &picture, &nail));
    assert_true(lq_extend_measure(&extent, &oval, &picture, &nail));
    nail.tip_known = false;
    assert_false(lq_extend_measure(&extent, &oval, &picture, &nail));
    nail.tip_known = true;
    memset(alpha, 0, sizeof alpha);
    assert_false(lq_extend_measure(&extent, &oval, &picture, &nail));
}

// Every shape continues the nail's sides, ends where it should, and differs from the others.
static void shapes_are_what_they_are_called(void **state)
{
    (void)state;
    struct lq_nail nail = upright_nail();
    int near_end[LQ_SHAPE_COUNT], middle[LQ_SHAPE_COUNT];
    for (int shape = LQ_SHAPE_SQUARE; shape < LQ_SHAPE_COUNT; shape++) {
        struct lq_extension extension = {(enum lq_shape_kind)shape, 0.5f};
        struct lq_extent extent;
        assert_true(lq_extend_measure(&extent, &extension, &picture, &nail));
        assert_float_equal(extent.end, 2.0f, 1e-6f);
        lq_extend_draw(&extent, &nail, own, whole);
        for (int i = 0; i < extent.width * extent.height; i++)
            assert_true(whole[i] >= own[i]);
        assert_in_range(width_at(&extent, 110), 25, 31); // where it begins
        near_end[shape] = width_at(&extent, 78);         // the end lies at 120 - 44 = 76
        middle[shape] = width_at(&extent, 92);
        assert_int_equal(width_at(&extent, 74), 0);
    }
    assert_true(near_end[LQ_SHAPE_SQUARE] > near_end[LQ_SHAPE_SQUOVAL]);
    assert_true(near_end[LQ_SHAPE_SQUOVAL] > near_end[LQ_SHAPE_OVAL]);
    assert_true(near_end[LQ_SHAPE_OVAL] > near_end[LQ_SHAPE_ALMOND]);
    assert_true(near_end[LQ_SHAPE_ALMOND] > near_end[LQ_SHAPE_STILETTO]);
    assert_true(near_end[LQ_SHAPE_COFFIN] > near_end[LQ_SHAPE_ALMOND]);
    assert_true(middle[LQ_SHAPE_COFFIN] < middle[LQ_SHAPE_SQUARE]);
    assert_true(near_end[LQ_SHAPE_STILETTO] <= 6);
}

// A nail at the border, in any direction: the crop stays in the picture.
static void stays_in_the_picture(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = 0; round < 500; round++) {
        struct lq_nail nail = upright_nail();
        nail.crop.x = (int)(unit_random(&seed) % (W - 40 + 1));
        nail.crop.y = (int)(unit_random(&seed) % (H - 60 + 1));
        nail.center_x = (float)nail.crop.x + 20.0f;
        nail.center_y = (float)nail.crop.y + 30.0f;
        float angle = (float)(unit_random(&seed) % 628) * 0.01f;
        nail.axis_x = cosf(angle);
        nail.axis_y = sinf(angle);
        struct lq_extension extension = {(enum lq_shape_kind)(1 + round % (LQ_SHAPE_COUNT - 1)),
                                         (float)(round % 11) * 0.1f};
        struct lq_extent extent;
        if (!lq_extend_measure(&extent, &extension, &picture, &nail))
            continue;
        assert_true(extent.x >= 0 && extent.x <= nail.crop.x);
        assert_true(extent.y >= 0 && extent.y <= nail.crop.y);
        assert_true(extent.x + extent.width <= W && extent.y + extent.height <= H);
        assert_true(extent.x + extent.width >= nail.crop.x + 40);
        assert_true(extent.y + extent.height >= nail.crop.y + 60);
        lq_extend_draw(&extent, &nail, own, whole);
    }
}

static void a_hand_is_extended_whole_or_not_at_all(void **state)
{
    (void)state;
    static struct lq_nails nails;
    bool chosen[LQ_NAILS_MAX];
    nails.count = 6; // five side by side, and one of another hand far away
    for (int i = 0; i < nails.count; i++)
        nails.items[i] = (struct lq_nail){.center_x = i < 5 ? 80.0f * (float)i : 2000.0f,
                                          .length = 22, .width = 16, .tip_known = true};
    lq_extend_choose(&nails, chosen);
    for (int i = 0; i < nails.count; i++)
        assert_true(chosen[i]);
    nails.items[0].tip_known = false;
    lq_extend_choose(&nails, chosen);
    for (int i = 0; i < 5; i++)
        assert_false(chosen[i]);
    assert_true(chosen[5]);
    nails.items[0].width = 3; // a tiny nail does not affect the others
    lq_extend_choose(&nails, chosen);
    for (int i = 0; i < nails.count; i++)
        assert_true(chosen[i]);
}

// The shadow darkens the skin beside the extension, more on the side away from the light, and
// nothing on the natural nail, at its base or far away.
static void casts_a_shadow_away_from_the_light(void **state)
{
    (void)state;
    static uint8_t eight[W * H * 3];
    static uint16_t sixteen[W * H * 3];
    struct lq_nail nail = upright_nail();
    struct lq_extension extension = {LQ_SHAPE_SQUARE, 0.5f};
    struct lq_extent extent;
    struct lq_image shaded = {eight, W, H, 3, 8, W * 3};
    struct lq_image deep = {(uint8_t *)sixteen, W, H, 3, 16, W * 6};
    for (int i = 0; i < W * H * 3; i++) {
        eight[i] = 200;
        sixteen[i] = 200 * 257;
    }
    assert_true(lq_extend_measure(&extent, &extension, &shaded, &nail));
    struct lq_pixel_box reached;
    lq_extend_shadow(&extent, &shaded, &nail, -0.8f, 0.0f, &reached);
    lq_extend_shadow(&extent, &deep, &nail, -0.8f, 0.0f, &reached);
    int left = eight[(88 * W + 43) * 3], right = eight[(88 * W + 77) * 3];
    assert_true(right < 175 && left > right + 15);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int value = eight[(y * W + x) * 3], wide = sixteen[(y * W + x) * 3];
            assert_in_range(value, 120, 200);
            assert_true(abs(wide - 257 * value) <= 257);
            bool natural = x >= 40 && x < 80 && y >= 90 && y < 150 &&
                           alpha[(y - 90) * 40 + x - 40] == 255;
            if (natural || y > 125 || x < 30 || x > 95 || y < 60)
                assert_int_equal(value, 200);
            if (value != 200) {
                assert_in_range(x, reached.x, reached.x + reached.width - 1);
                assert_in_range(y, reached.y, reached.y + reached.height - 1);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_nothing_where_it_must_not),
        cmocka_unit_test(shapes_are_what_they_are_called),
        cmocka_unit_test(stays_in_the_picture),
        cmocka_unit_test(casts_a_shadow_away_from_the_light),
        cmocka_unit_test(a_hand_is_extended_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
