#include "eval/traits.h"

#include <math.h>
#include <string.h>

#include "unit/delta_e.h"
#include "unit/unit.h"

enum { W = 120, H = 90 };

static uint8_t pixels[W * H * 3], drawn[W * H];
static struct lq_image picture = {pixels, W, H, 3, 8, W * 3};

static void fill(int x0, int y0, int width, int height, const uint8_t rgb[3])
{
    for (int y = y0; y < y0 + height; y++)
        for (int x = x0; x < x0 + width; x++)
            memcpy(pixels + (y * W + x) * 3, rgb, 3);
}

// A nail of 20x20 on a finger of this colour, over a dull green ground.
static struct lq_traits hand(const uint8_t skin[3])
{
    static const uint8_t ground[] = {60, 90, 70}, nail[] = {200, 20, 60};
    struct lq_traits_reader reader;
    struct lq_traits traits;
    memset(drawn, 0, sizeof drawn);
    fill(0, 0, W, H, ground);
    fill(40, 20, 40, 60, skin);
    fill(50, 40, 20, 20, nail);
    for (int y = 40; y < 60; y++)
        memset(drawn + y * W + 50, 255, 20);
    lq_traits_init(&reader);
    assert_ok(lq_traits_read(&reader, &picture, drawn, 1, &traits));
    lq_traits_release(&reader);
    return traits;
}

static const char *tone(const uint8_t skin[3])
{
    struct lq_traits traits = hand(skin);
    return lq_trait_class(LQ_TRAIT_TONE, traits.class_[LQ_TRAIT_TONE]);
}

static void tone_follows_the_skin_beside_the_nail(void **state)
{
    (void)state;
    assert_string_equal(tone((const uint8_t[]){242, 210, 190}), "very_light");
    assert_string_equal(tone((const uint8_t[]){222, 180, 150}), "light");
    assert_string_equal(tone((const uint8_t[]){203, 158, 125}), "intermediate");
    assert_string_equal(tone((const uint8_t[]){175, 130, 95}), "tan");
    assert_string_equal(tone((const uint8_t[]){130, 88, 60}), "brown");
    assert_string_equal(tone((const uint8_t[]){60, 38, 28}), "dark");
}

static void typology_angle_is_that_of_its_formula(void **state)
{
    (void)state;
    struct lq_traits traits = hand((const uint8_t[]){200, 150, 120});
    double linear[3], lab[3];
    for (int c = 0; c < 3; c++)
        linear[c] = pow(((double[]){200, 150, 120}[c] / 255 + 0.055) / 1.055, 2.4);
    unit_lab(linear, lab);
    assert_float_equal(traits.value[LQ_TRAIT_LIGHT], lab[0], 1e-9);
    assert_float_equal(traits.value[LQ_TRAIT_TONE], atan((lab[0] - 50) / lab[2]) * 180 / M_PI,
                       1e-9);
    assert_float_equal(traits.value[LQ_TRAIT_SIZE], 20.0 / W, 1e-12);
}

static void what_is_no_skin_is_not_judged(void **state)
{
    (void)state;
    struct lq_traits traits = hand((const uint8_t[]){60, 90, 160}); // a blue glove
    assert_int_equal(traits.class_[LQ_TRAIT_TONE], -1);
    assert_int_equal(traits.class_[LQ_TRAIT_LIGHT], -1);
    assert_true(isnan(traits.value[LQ_TRAIT_TONE]));
    assert_true(traits.class_[LQ_TRAIT_SIZE] >= 0);
}

static void tint_separates_warm_from_cold_light(void **state)
{
    (void)state;
    struct lq_traits_reader reader;
    struct lq_traits warm, cold;
    lq_traits_init(&reader);
    hand((const uint8_t[]){200, 150, 120});
    fill(0, 0, 40, H, (const uint8_t[]){255, 200, 80});
    assert_ok(lq_traits_read(&reader, &picture, drawn, 1, &warm));
    fill(0, 0, 40, H, (const uint8_t[]){80, 120, 255});
    assert_ok(lq_traits_read(&reader, &picture, drawn, 1, &cold));
    lq_traits_release(&reader);
    assert_string_equal(lq_trait_class(LQ_TRAIT_TINT, warm.class_[LQ_TRAIT_TINT]), "warm");
    assert_string_equal(lq_trait_class(LQ_TRAIT_TINT, cold.class_[LQ_TRAIT_TINT]), "cold");
}

static void pictures_of_sixteen_bits_are_the_same(void **state)
{
    (void)state;
    static uint16_t wide[W * H * 3];
    struct lq_traits_reader reader;
    struct lq_traits deep, plain = hand((const uint8_t[]){203, 158, 125});
    for (size_t i = 0; i < W * H * 3; i++)
        wide[i] = (uint16_t)(pixels[i] * 257);
    struct lq_image image = {(uint8_t *)wide, W, H, 3, 16, W * 6};
    lq_traits_init(&reader);
    assert_ok(lq_traits_read(&reader, &image, drawn, 1, &deep));
    lq_traits_release(&reader);
    for (int t = 0; t < LQ_TRAIT_COUNT; t++)
        assert_float_equal(deep.value[t], plain.value[t], 0);
}

static void no_nail_means_nothing_is_known(void **state)
{
    (void)state;
    struct lq_traits_reader reader;
    struct lq_traits traits;
    lq_traits_init(&reader);
    memset(drawn, 0, sizeof drawn);
    assert_ok(lq_traits_read(&reader, &picture, drawn, 0, &traits));
    for (int t = 0; t < LQ_TRAIT_COUNT; t++)
        assert_int_equal(traits.class_[t], -1);
    lq_traits_release(&reader);
}

static void class_names_end(void **state)
{
    (void)state;
    assert_null(lq_trait_class(LQ_TRAIT_SIZE, 3));
    assert_null(lq_trait_class(LQ_TRAIT_TONE, LQ_TRAIT_CLASSES_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tone_follows_the_skin_beside_the_nail),
        cmocka_unit_test(typology_angle_is_that_of_its_formula),
        cmocka_unit_test(what_is_no_skin_is_not_judged),
        cmocka_unit_test(tint_separates_warm_from_cold_light),
        cmocka_unit_test(pictures_of_sixteen_bits_are_the_same),
        cmocka_unit_test(no_nail_means_nothing_is_known),
        cmocka_unit_test(class_names_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
