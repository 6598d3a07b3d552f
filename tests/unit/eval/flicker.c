#include "eval/flicker.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { W = 120, H = 80 };

static uint8_t drawn[W * H], predicted[W * H];

// A disc of radius 12 with a soft edge.
static void disc(uint8_t *mask, float x, float y)
{
    for (int j = 0; j < H; j++)
        for (int i = 0; i < W; i++) {
            float level = 12.5f - hypotf((float)i - x, (float)j - y);
            mask[j * W + i] = (uint8_t)(255 * (level < 0 ? 0 : level > 1 ? 1 : level));
        }
}

// A video of a nail that moves by (1.5, 0) a frame. Its prediction is `lag` frames late, off by
// `shake` pixels alternately up and down, and missing in every `gap`th frame.
static struct lq_flicker video(float lag, float shake, int gap)
{
    struct lq_flicker flicker;
    lq_flicker_init(&flicker);
    for (int f = 0; f < 40; f++) {
        disc(drawn, 20 + 1.5f * (float)f, 40);
        disc(predicted, 20 + 1.5f * ((float)f - lag), 40 + (f % 2 ? shake : -shake));
        if (gap && f % gap == 0)
            memset(predicted, 0, sizeof predicted);
        assert_ok(lq_flicker_add(&flicker, predicted, drawn, W, H));
    }
    return flicker;
}

static void a_steady_mask_has_none(void **state)
{
    (void)state;
    struct lq_flicker flicker = video(0, 0, 0);
    assert_true(lq_flicker_mean(&flicker) < 0.04);
    assert_float_equal(lq_flicker_mean(&flicker), lq_flicker_floor(&flicker), 1e-9);
    assert_float_equal(lq_flicker_lag(&flicker), 0, 0.02);
    lq_flicker_release(&flicker);
}

static void shaking_is_flicker(void **state)
{
    (void)state;
    struct lq_flicker little = video(0, 0.5f, 0), much = video(0, 1.5f, 0);
    // A disc moved by d changes by 2 * diameter * d of pi r^2.
    assert_float_equal(lq_flicker_mean(&much), 2 * 25 * 3.0 / (3.1416 * 12.5 * 12.5), 0.05);
    assert_true(lq_flicker_mean(&much) > 2.3 * lq_flicker_mean(&little));
    lq_flicker_release(&little);
    lq_flicker_release(&much);
}

static void lag_is_no_flicker(void **state)
{
    (void)state;
    struct lq_flicker late = video(1, 0, 0);
    assert_float_equal(lq_flicker_lag(&late), 1, 0.05);
    assert_true(lq_flicker_mean(&late) < 0.05);
    lq_flicker_release(&late);
}

static void a_nail_that_comes_and_goes_is_flicker(void **state)
{
    (void)state;
    struct lq_flicker flicker = video(0, 0, 4);
    assert_float_equal(lq_flicker_mean(&flicker), 0.5, 0.06); // two of four changes are whole
    lq_flicker_release(&flicker);
}

static void nothing_measured_is_no_number(void **state)
{
    (void)state;
    struct lq_flicker flicker;
    lq_flicker_init(&flicker);
    memset(drawn, 0, sizeof drawn);
    for (int f = 0; f < 3; f++)
        assert_ok(lq_flicker_add(&flicker, drawn, drawn, W, f < 2 ? H : H / 2));
    assert_true(isnan(lq_flicker_mean(&flicker)) && isnan(lq_flicker_lag(&flicker)));
    lq_flicker_release(&flicker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_mask_has_none),
        cmocka_unit_test(shaking_is_flicker),
        cmocka_unit_test(lag_is_no_flicker),
        cmocka_unit_test(a_nail_that_comes_and_goes_is_flicker),
        cmocka_unit_test(nothing_measured_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
