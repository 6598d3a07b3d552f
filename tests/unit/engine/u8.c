#include "engine/u8.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

enum { PIXELS = 1031, COUNT = 3 * PIXELS };

static uint8_t bytes[COUNT + 1], again[COUNT + 1];
static float numbers[COUNT];

static int channel(const struct lq_u8_rule *rule, int i)
{
    return rule->planes ? i / PIXELS : i % 3;
}

// Values as image/resize.h computes them from pixels: value / 255 * 1/std - mean/std.
static void test_every_byte_comes_back(void **state)
{
    (void)state;
    const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
    for (int form = 0; form < 4; form++) {
        struct lq_u8_rule rule = {.planes = form & 1, .scale = {255, 255, 255}};
        for (int c = 0; c < 3 && form & 2; c++) {
            rule.scale[c] = 255 * std[c];
            rule.bias[c] = 255 * mean[c];
        }
        for (int i = 0; i < COUNT; i++) {
            bytes[i] = (uint8_t)(i * 7 + i / 256);
            int c = channel(&rule, i);
            numbers[i] = form & 2 ? (float)bytes[i] * (1 / std[c] / 255) - mean[c] / std[c]
                                  : (float)bytes[i] * (1.0f / 255);
        }
        again[COUNT] = 0x5a;
        lq_u8_from_f32(again, numbers, COUNT, &rule);
        assert_memory_equal(again, bytes, COUNT);
        assert_int_equal(again[COUNT], 0x5a);
    }
}

static void test_rounding_and_ends(void **state)
{
    (void)state;
    const struct lq_u8_rule rule = {.scale = {1, 1, 1}};
    const float in[] = {-1, -0.0f, 0.49f, 0.5f, 254.4f, 254.5f, 255, 255.6f, 1e30f, -1e30f,
                        INFINITY, -INFINITY, NAN, -NAN, 12.51f};
    const uint8_t wanted[] = {0, 0, 0, 1, 254, 255, 255, 255, 255, 0, 255, 0, 0, 0, 13};
    uint8_t out[LQ_COUNT(in)];
    lq_u8_from_f32(out, in, LQ_COUNT(in), &rule);
    assert_memory_equal(out, wanted, sizeof wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_comes_back),
        cmocka_unit_test(test_rounding_and_ends),
    };
    return cmocka_run_group_tests_name("u8", tests, NULL, NULL);
}
