#include "nail/skin.h"

#include <string.h>

#include "unit/unit.h"

enum { W = 120, H = 90, SIDE = 20 };

static uint8_t pixels[W * H * 3], alpha[SIDE * SIDE];
static struct lq_image picture = {pixels, W, H, 3, 8, W * 3};

static void fill(int x0, int y0, int x1, int y1, const uint8_t color[3])
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            memcpy(pixels + (y * W + x) * 3, color, 3);
}

static struct lq_nail nail_at(int x, int y, float confidence)
{
    memset(alpha, 255, sizeof alpha);
    return (struct lq_nail){.confidence = confidence,
                            .crop = {x - SIDE / 2, y - SIDE / 2, SIDE, SIDE},
                            .alpha = alpha, .alpha_stride = SIDE,
                            .center_x = (float)x, .center_y = (float)y, .axis_x = 1,
                            .length = SIDE, .width = SIDE};
}

static struct lq_nails one(int x, int y)
{
    return (struct lq_nails){.count = 1, .items = {nail_at(x, y, 0.9f)}};
}

static uint8_t tinted(int value, float gain)
{
    float out = (float)value * gain;
    return (uint8_t)(out > 255 ? 255 : out);
}

static void skin_of_all_tones_in_warm_and_cold_light(void **state)
{
    (void)state;
    static const uint8_t tones[][3] = {{243, 214, 196}, {222, 180, 152}, {198, 146, 110},
                                       {160, 110, 80},  {112, 74, 52},   {62, 42, 32}};
    static const float tints[][3] = {{1, 1, 1}, {1.1f, 1, 0.75f}, {0.93f, 0.98f, 1.08f}};
    for (size_t t = 0; t < LQ_COUNT(tones); t++)
        for (size_t k = 0; k < LQ_COUNT(tints); k++) {
            uint8_t color[3];
            for (int c = 0; c < 3; c++)
                color[c] = tinted(tones[t][c], tints[k][c]);
            struct lq_nails nails = one(60, 45);
            fill(0, 0, W, H, color);
            assert_true(lq_skin_beside(&picture, &nails, 0) > 0.99f);
        }
}

static void things_are_no_skin(void **state)
{
    (void)state;
    static const uint8_t things[][3] = {{128, 128, 128}, {30, 30, 32},   {235, 238, 240},
                                        {40, 70, 160},   {50, 120, 60}, {150, 60, 160}};
    for (size_t t = 0; t < LQ_COUNT(things); t++) {
        struct lq_nails nails = one(60, 45);
        fill(0, 0, W, H, things[t]);
        assert_true(lq_skin_beside(&picture, &nails, 0) < 0.01f);
    }
}

static const uint8_t black[3] = {12, 12, 13}, skin[3] = {160, 110, 80}, grey[3] = {99, 99, 99};

// A dark glove or a black background on all sides except the finger's.
static void a_glove_does_not_hide_the_finger(void **state)
{
    (void)state;
    struct lq_nails nails = one(60, 45);
    fill(0, 0, W, H, black);
    fill(0, 35, 60, 55, skin);
    lq_skin_drop_bare(&picture, &nails);
    assert_int_equal(nails.count, 1);
}

static void the_border_hides_the_ring(void **state)
{
    (void)state;
    struct lq_nails nails = one(1, 1);
    nails.items[0].length = nails.items[0].width = 150;
    fill(0, 0, W, H, grey);
    assert_float_equal(lq_skin_beside(&picture, &nails, 0), 1, 1e-6f);
}

// A key of a keyboard is dropped; a hand in a grey picture and a very confident nail are kept.
static void a_key_is_dropped_and_a_grey_hand_kept(void **state)
{
    (void)state;
    fill(0, 0, W, H, grey);
    struct lq_nails key = one(60, 45), sure = one(60, 45);
    sure.items[0].confidence = 0.97f;
    struct lq_nails hand = {.count = 3, .items = {nail_at(20, 45, 0.9f), nail_at(60, 45, 0.9f),
                                                  nail_at(100, 45, 0.6f)}};
    lq_skin_drop_bare(&picture, &key);
    lq_skin_drop_bare(&picture, &sure);
    lq_skin_drop_bare(&picture, &hand);
    assert_int_equal(key.count, 0);
    assert_int_equal(sure.count, 1);
    assert_int_equal(hand.count, 2);
    assert_float_equal(hand.items[1].center_x, 60, 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skin_of_all_tones_in_warm_and_cold_light),
        cmocka_unit_test(things_are_no_skin),
        cmocka_unit_test(a_glove_does_not_hide_the_finger),
        cmocka_unit_test(the_border_hides_the_ring),
        cmocka_unit_test(a_key_is_dropped_and_a_grey_hand_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
