#include "paint/transfer.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

static void curve_matches_the_standard(void **state)
{
    (void)state;
    for (int i = 0; i <= 100000; i++) {
        float linear = (float)i / 100000.0f, stored;
        lq_transfer_encode(&linear, &stored, 1);
        assert_float_equal(stored, (float)lq_srgb_encode((double)linear), 8e-6f);
    }
    for (int i = 0; i <= 255; i++)
        assert_float_equal((float)lq_srgb_encode(lq_srgb_decode(i / 255.0)), (float)i / 255.0f,
                           1e-6f);
}

static void extremes(void **state)
{
    (void)state;
    float linear[] = {-1.0f, NAN, INFINITY, -INFINITY, 2.0f, 0.0f, 1.0f, 1e-30f}, stored[8];
    lq_transfer_encode(linear, stored, 8);
    static const float expected[] = {0, 0, 1, 0, 1, 0, 1, 0};
    for (int i = 0; i < 8; i++)
        assert_float_equal(stored[i], expected[i], 1e-6f);
}

// Converting every stored value to linear light and back gives the same value, in both depths and
// layouts.
static void round_trip(void **state)
{
    (void)state;
    enum { N = 65536 };
    static uint16_t deep[N * 4], deep_out[N * 4];
    static float r[N], g[N], b[N];
    static uint8_t alpha[N];
    memset(alpha, 1, sizeof(alpha));
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 4; k++)
            deep[i * 4 + k] = (uint16_t)(i * (k + 1));
    memcpy(deep_out, deep, sizeof(deep));
    struct lq_image image = {(uint8_t *)deep_out, N, 1, 4, 16, N * 8};
    struct lq_rgb_row light = {r, g, b, N};
    lq_transfer_read(&image, 0, 0, &light);
    lq_transfer_write(&image, 0, 0, alpha, &light);
    for (int i = 0; i < N * 4; i++)
        assert_in_range(deep_out[i] + 1 - deep[i], 0, 2);
    uint8_t bytes[256 * 3], out[256 * 3];
    for (int i = 0; i < 256 * 3; i++)
        bytes[i] = (uint8_t)(i * 7);
    memcpy(out, bytes, sizeof(bytes));
    image = (struct lq_image){out, 256, 1, 3, 8, 256 * 3};
    light.count = 256;
    lq_transfer_read(&image, 0, 0, &light);
    lq_transfer_write(&image, 0, 0, alpha, &light);
    assert_memory_equal(out, bytes, sizeof(bytes));
}

static void writes_only_where_covered(void **state)
{
    (void)state;
    enum { N = 601 };
    static uint8_t pixels[N * 4];
    static float one[N];
    static uint8_t alpha[N];
    for (int i = 0; i < N; i++) {
        one[i] = 1.0f;
        alpha[i] = i % 3 == 0;
    }
    memset(pixels, 9, sizeof(pixels));
    struct lq_image image = {pixels, N, 1, 4, 8, N * 4};
    lq_transfer_write(&image, 1, 0, alpha, &(struct lq_rgb_row){one, one, one, N - 1});
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 4; k++)
            assert_int_equal(pixels[i * 4 + k], i > 0 && k < 3 && (i - 1) % 3 == 0 ? 255 : 9);
}

static int setup(void **state)
{
    (void)state;
    lq_transfer_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curve_matches_the_standard),
        cmocka_unit_test(extremes),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(writes_only_where_covered),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
