// Estimates of the light from skin and nails of known albedo in known light.
#include "paint/light.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paint/scene.h"
#include "paint/transfer.h"
#include "unit/unit.h"

enum { SIDE = 160, NAIL = 32 };

static uint8_t pixels[SIDE * SIDE * 3], alpha[NAIL * NAIL];

static const float LIGHT_SKIN[3] = {0.67f, 0.40f, 0.30f}, LIGHT_BED[3] = {0.74f, 0.42f, 0.39f};
static const float DARK_SKIN[3] = {0.16f, 0.074f, 0.046f}, DARK_BED[3] = {0.38f, 0.19f, 0.18f};

static void fill(int x, int y, int width, int height, const float albedo[3], float exposure,
                 const float tint[3])
{
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++)
            for (int c = 0; c < 3; c++) {
                double shown = lq_srgb_encode(fmin(albedo[c] * exposure * tint[c], 1.0));
                pixels[(j * SIDE + i) * 3 + c] = (uint8_t)lround(255.0 * shown);
            }
}

// A hand that fills the picture, with one nail whose tip points up.
static struct lq_light light_on(const float skin[3], const float bed[3], float exposure,
                                const float tint[3])
{
    struct lq_image picture = {.data = pixels, .width = SIDE, .height = SIDE, .channels = 3,
                               .depth = 8, .stride = SIDE * 3};
    struct lq_nails nails = {.count = 1};
    memset(alpha, 255, sizeof(alpha));
    nails.items[0] = (struct lq_nail){
        .id = 1, .confidence = 1, .crop = {64, 64, NAIL, NAIL}, .alpha = alpha,
        .alpha_stride = NAIL, .area = NAIL * NAIL, .center_x = 80, .center_y = 80, .axis_y = -1,
        .length = NAIL, .width = NAIL, .tip_known = true};
    fill(0, 0, SIDE, SIDE, skin, exposure, tint);
    fill(64, 64, NAIL, NAIL, bed, exposure, tint);
    struct lq_scene scene;
    lq_scene_judge(&scene, &picture, &nails, NULL);
    return scene.light;
}

static void a_dim_light_is_dim_on_any_skin(void **state)
{
    (void)state;
    static const float white[3] = {1, 1, 1};
    for (int tone = 0; tone < 2; tone++) {
        const float *skin = tone ? DARK_SKIN : LIGHT_SKIN, *bed = tone ? DARK_BED : LIGHT_BED;
        float before = 0.0f;
        for (float exposure = 0.24f; exposure < 1.0f; exposure *= 1.6f) {
            struct lq_light light = light_on(skin, bed, exposure, white);
            print_message("tone %d, %.2f: %.2f\n", tone, exposure, light.exposure);
            assert_true(light.exposure > before * 1.05f); // follows the light
            assert_true(light.exposure < exposure * 2.0f && light.exposure > exposure * 0.6f);
            before = light.exposure;
        }
    }
}

static void equal_brightness_of_two_skins_is_unequal_light(void **state)
{
    (void)state;
    static const float white[3] = {1, 1, 1};
    float share = 0.45f * DARK_SKIN[0] / LIGHT_SKIN[0] * 2.0f;
    struct lq_light dark = light_on(DARK_SKIN, DARK_BED, 0.9f, white);
    struct lq_light light = light_on(LIGHT_SKIN, LIGHT_BED, share, white); // as bright a skin
    assert_true(dark.exposure > 1.5f * light.exposure);
}

static void a_warm_light_is_warm(void **state)
{
    (void)state;
    static const float warm[3] = {1.15f, 1.0f, 0.75f}, cool[3] = {0.88f, 1.0f, 1.2f};
    struct lq_light one = light_on(LIGHT_SKIN, LIGHT_BED, 0.7f, warm);
    struct lq_light two = light_on(LIGHT_SKIN, LIGHT_BED, 0.7f, cool);
    assert_true(one.tint[0] > two.tint[0] + 0.03f && one.tint[2] < two.tint[2] - 0.05f);
    for (int c = 0; c < 3; c++)
        assert_true(one.tint[c] > 0.8f && one.tint[c] < 1.25f);
}

static void polish_that_is_worn_does_not_pass_for_the_light(void **state)
{
    (void)state;
    static const float white[3] = {1, 1, 1}, black[3] = {0.01f, 0.01f, 0.01f};
    struct lq_light bare = light_on(LIGHT_SKIN, LIGHT_BED, 0.7f, white);
    struct lq_light worn = light_on(LIGHT_SKIN, black, 0.7f, white);
    print_message("bare %.2f, black polish %.2f\n", bare.exposure, worn.exposure);
    assert_true(worn.exposure > 0.5f * bare.exposure && worn.exposure < 1.7f * bare.exposure);
}

static void without_nails_the_light_is_the_usual(void **state)
{
    (void)state;
    struct lq_image picture = {.data = pixels, .width = SIDE, .height = SIDE, .channels = 3,
                               .depth = 8, .stride = SIDE * 3};
    struct lq_nails nails = {0};
    struct lq_scene scene;
    lq_scene_judge(&scene, &picture, &nails, NULL);
    assert_true(scene.light.exposure > 0.5f && scene.light.exposure < 1.0f);
    assert_true(scene.light.tint[0] == 1.0f && scene.level == 0.0f);
}

static int init(void **state)
{
    (void)state;
    lq_transfer_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dim_light_is_dim_on_any_skin),
        cmocka_unit_test(equal_brightness_of_two_skins_is_unequal_light),
        cmocka_unit_test(a_warm_light_is_warm),
        cmocka_unit_test(polish_that_is_worn_does_not_pass_for_the_light),
        cmocka_unit_test(without_nails_the_light_is_the_usual),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
