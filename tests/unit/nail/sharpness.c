#include "nail/sharpness.h"

#include <math.h>
#include <stdint.h>

#include "unit/unit.h"

enum { SIDE = 120, STEP = 2, GRID = SIDE / STEP };

// Measures a disc on a plain ground whose edge is a linear ramp of `width` pixels; the network's
// outline of it is `off` pixels too far out.
static float width_seen(float width, float contrast, float grain, float off)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    static float guess[GRID * GRID];
    struct lq_image picture = {pixels, SIDE, SIDE, 3, 8, SIDE * 3};
    unsigned random = 1;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float far = 40.0f - hypotf((float)x - 59.5f, (float)y - 59.5f);
            float inside = fminf(fmaxf(0.5f + far / width, 0.0f), 1.0f);
            random = random * 1664525u + 1013904223u;
            float noise = grain * ((float)(random >> 16) / 32768.0f - 1.0f);
            for (int k = 0; k < 3; k++)
                pixels[(y * SIDE + x) * 3 + k] =
                    (uint8_t)(255.0f * (0.4f + contrast * inside + noise) + 0.5f);
        }
    for (int j = 0; j < GRID; j++)
        for (int i = 0; i < GRID; i++) {
            float x = ((float)i + 0.5f) * STEP - 60.0f, y = ((float)j + 0.5f) * STEP - 60.0f;
            guess[j * GRID + i] = 1.0f / (1.0f + expf((hypotf(x, y) - 40.0f - off) * 0.5f));
        }
    return lq_sharpness_edge(&picture, &(struct lq_blocks){0, 0, STEP, GRID, GRID}, guess);
}

static void an_edge_is_as_wide_as_it_was_drawn(void **state)
{
    (void)state;
    for (float width = 2.0f; width <= 8.0f; width += 1.0f)
        for (float off = -3.0f; off <= 3.0f; off += 3.0f)
            assert_float_equal(width_seen(width, 0.4f, 0.0f, off), width, 0.15f * width + 0.3f);
}

static void a_sharp_edge_is_sharp(void **state)
{
    (void)state;
    assert_true(width_seen(1.0f, 0.4f, 0.0f, 0.0f) < 2.0f);
}

static void grain_does_not_sharpen_a_soft_edge_much(void **state)
{
    (void)state;
    assert_true(width_seen(6.0f, 0.4f, 0.02f, 0.0f) > 3.0f);
}

static void without_evidence_nothing_is_estimated(void **state)
{
    (void)state;
    assert_true(width_seen(3.0f, 0.0f, 0.0f, 0.0f) == 0.0f);
    assert_true(width_seen(3.0f, 0.02f, 0.005f, 0.0f) == 0.0f);
}

static void an_outline_at_the_pictures_border_is_no_place_to_look(void **state)
{
    (void)state;
    static uint8_t pixels[8 * 8 * 3];
    struct lq_image picture = {pixels, 8, 8, 3, 8, 24};
    float guess[64];
    for (int i = 0; i < 64; i++)
        guess[i] = i % 8 < 4 ? 1.0f : 0.0f;
    const struct lq_blocks all = {0, 0, 1, 8, 8}, one = {0, 0, 1, 1, 1};
    assert_true(lq_sharpness_edge(&picture, &all, guess) == 0.0f);
    assert_true(lq_sharpness_edge(&picture, &one, guess) == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_is_as_wide_as_it_was_drawn),
        cmocka_unit_test(a_sharp_edge_is_sharp),
        cmocka_unit_test(grain_does_not_sharpen_a_soft_edge_much),
        cmocka_unit_test(without_evidence_nothing_is_estimated),
        cmocka_unit_test(an_outline_at_the_pictures_border_is_no_place_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
