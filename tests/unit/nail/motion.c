#include "nail/motion.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 160, H = 120 };

static uint8_t pixels[W * H * 3];
static const struct lq_image picture = {pixels, W, H, 3, 8, W * 3};

// Draws a smooth texture rotated by `turn` about (80, 60), enlarged by `scale` and shifted.
static void draw(float shift_x, float shift_y, float scale, float turn, float light)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            float ox = (float)x + 0.5f - 80 - shift_x, oy = (float)y + 0.5f - 60 - shift_y;
            float u = (ox + turn * oy) / (1 + scale), v = (oy - turn * ox) / (1 + scale);
            float level = 120 + light + 40 * sinf(u * 0.31f + 1) * cosf(v * 0.23f) +
                          30 * sinf(v * 0.17f + u * 0.05f);
            for (int c = 0; c < 3; c++)
                pixels[(y * W + x) * 3 + c] = (uint8_t)(level + 0.5f);
        }
}

static const struct lq_nail nail = {.center_x = 80, .center_y = 60, .axis_x = 0.6f, .axis_y = 0.8f,
                                    .length = 36, .width = 26};

static void finds_shifts_to_a_tenth_of_a_pixel(void **state)
{
    (void)state;
    static const float shifts[][2] = {{0, 0}, {0.3f, -0.6f}, {2.5f, 1.2f}, {-9.7f, 14.4f}};
    struct lq_template template;
    for (size_t i = 0; i < LQ_COUNT(shifts); i++) {
        draw(0, 0, 0, 0, 0);
        lq_template_init(&template, &picture, &nail);
        draw(shifts[i][0], shifts[i][1], 0, 0, 25); // the camera's exposure may change
        struct lq_motion motion =
            lq_motion_find(&template, &picture, shifts[i][0] + 0.9f, shifts[i][1] - 0.8f);
        assert_float_equal(motion.x, shifts[i][0], 0.1f);
        assert_float_equal(motion.y, shifts[i][1], 0.1f);
        assert_true(motion.match > 0.95f);
    }
}

static void finds_turns_and_growth(void **state)
{
    (void)state;
    struct lq_template template;
    draw(0, 0, 0, 0, 0);
    lq_template_init(&template, &picture, &nail);
    draw(1, 0.5f, 0.03f, -0.04f, 0);
    struct lq_motion motion = lq_motion_find(&template, &picture, 1, 0);
    assert_float_equal(motion.scale, 0.03f, 0.01f);
    assert_float_equal(motion.turn, -0.04f, 0.01f);
}

static void the_same_picture_did_not_move(void **state)
{
    (void)state;
    struct lq_template template;
    draw(0, 0, 0, 0, 0);
    lq_template_init(&template, &picture, &nail);
    struct lq_motion motion = lq_motion_find(&template, &picture, 0, 0);
    assert_true(motion.x == 0 && motion.y == 0 && motion.scale == 0 && motion.turn == 0);
    assert_true(motion.match == 1);
}

static void something_else_does_not_match(void **state)
{
    (void)state;
    struct lq_template template;
    draw(0, 0, 0, 0, 0);
    lq_template_init(&template, &picture, &nail);
    uint32_t seed = 4;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)unit_random(&seed);
    assert_true(lq_motion_find(&template, &picture, 0, 0).match < 0.3f);
    memset(pixels, 77, sizeof pixels);
    assert_true(lq_motion_find(&template, &picture, 0, 0).match < 0.3f);
    // A plain picture has no texture to track, and a nail at no place cannot be tracked.
    lq_template_init(&template, &picture, &nail);
    assert_true(lq_motion_find(&template, &picture, 1, 3).match == 0);
    assert_true(lq_motion_find(&template, &picture, NAN, 3).match == 0);
}

static void stays_within_the_picture(void **state)
{
    (void)state;
    struct lq_template template;
    draw(0, 0, 0, 0, 0);
    static const float places[][2] = {{0, 0}, {W, H}, {-500, 60}, {80, 5000}};
    for (size_t i = 0; i < LQ_COUNT(places); i++) {
        struct lq_nail off = nail;
        off.center_x = places[i][0];
        off.center_y = places[i][1];
        off.length = i == 1 ? 1e6f : 30; // checked by the sanitizer
        lq_template_init(&template, &picture, &off);
        (void)lq_motion_find(&template, &picture, 40, -9000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_shifts_to_a_tenth_of_a_pixel),
        cmocka_unit_test(finds_turns_and_growth),
        cmocka_unit_test(the_same_picture_did_not_move),
        cmocka_unit_test(something_else_does_not_match),
        cmocka_unit_test(stays_within_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
