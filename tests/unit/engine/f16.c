#include "engine/f16.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { HALVES = 1 << 16 };

static uint16_t halves[HALVES + 1];
static float singles[HALVES];

// The compiler's own half type is the reference.
static float reference(uint16_t bits)
{
    _Float16 half;
    memcpy(&half, &bits, sizeof half);
    return (float)half;
}

static void test_every_half(void **state)
{
    (void)state;
    for (int i = 0; i < HALVES; i++)
        halves[i] = (uint16_t)i;
    lq_f16_to_f32(singles, halves, HALVES);
    for (int i = 0; i < HALVES; i++) {
        float wanted = reference((uint16_t)i);
        assert_true(isnan(wanted) ? isnan(singles[i])
                                  : memcmp(&singles[i], &wanted, sizeof wanted) == 0);
    }
    lq_f16_from_f32(halves, singles, HALVES);
    for (int i = 0; i < HALVES; i++)
        if (isnan(singles[i]))
            assert_true((halves[i] & 0x7c00) == 0x7c00 && (halves[i] & 0x3ff) != 0);
        else
            assert_int_equal(halves[i], i);
}

static void test_rounding(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int i = 0; i < HALVES; i++) {
        // All exponents, including values too small or too large for a half.
        uint32_t bits = unit_random(&random);
        memcpy(&singles[i], &bits, sizeof bits);
    }
    const float edges[] = {65504, 65519.99f, 65520, 1e9f, 0x1p-24f, 0x1p-25f, 0x1.000002p-25f,
                           0x1.ffcp-15f, 2049, 2051, -0.0f, INFINITY, -INFINITY};
    memcpy(singles, edges, sizeof edges);
    lq_f16_from_f32(halves, singles, HALVES);
    for (int i = 0; i < HALVES; i++) {
        _Float16 wanted = (_Float16)singles[i];
        uint16_t bits;
        memcpy(&bits, &wanted, sizeof bits);
        if (!isnan(singles[i]))
            assert_int_equal(halves[i], bits);
    }
}

static void test_odd_places_and_sizes(void **state)
{
    (void)state;
    uint8_t bytes[2 * 37 + 1], again[sizeof bytes] = {0};
    float values[37];
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(unit_random(&random) & 0x3b); // no infinities
    lq_f16_to_f32(values, bytes + 1, 37);
    lq_f16_from_f32(again + 1, values, 37);
    assert_memory_equal(again + 1, bytes + 1, 2 * 37);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_odd_places_and_sizes),
    };
    return cmocka_run_group_tests_name("f16", tests, NULL, NULL);
}
