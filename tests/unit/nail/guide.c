#include "nail/guide.h"

#include <stdlib.h>

#include "unit/unit.h"

// Two clusters of colour: the guide is about 1 on one and 0 on the other, and its noise is right.
static void separates_two_colors(void **state)
{
    (void)state;
    enum { N = 400 };
    static float red[N], green[N], blue[N], guess[N], out[N];
    uint32_t seed = 4;
    for (int i = 0; i < N; i++) {
        float grain = (float)(unit_random(&seed) % 100) / 5000.0f;
        guess[i] = i % 2 ? 1.0f : 0.0f;
        red[i] = 0.7f + grain;
        green[i] = (i % 2 ? 0.62f : 0.5f) + grain;
        blue[i] = (i % 2 ? 0.6f : 0.45f) + (float)(unit_random(&seed) % 100) / 1000.0f;
    }
    struct lq_guide guide;
    const struct lq_rgb_row planes = {red, green, blue, N};
    lq_guide_fit(&guide, &planes, guess);
    assert_true(guide.noise < 0.1f);
    lq_guide_planes(&guide, &planes, out);
    for (int i = 0; i < N; i++)
        assert_true(i % 2 ? out[i] > 0.6f : out[i] < 0.4f);
}

static void one_color_gives_a_flat_guide(void **state)
{
    (void)state;
    float flat[64], guess[64], out[64];
    for (int i = 0; i < 64; i++) {
        flat[i] = 0.5f;
        guess[i] = i % 2 ? 1.0f : 0.0f;
    }
    struct lq_guide guide;
    const struct lq_rgb_row planes = {flat, flat, flat, 64};
    lq_guide_fit(&guide, &planes, guess);
    lq_guide_planes(&guide, &planes, out);
    for (int i = 0; i < 64; i++)
        assert_float_equal(out[i], 0.5f, 1e-3f);
}

// A row of the picture gives the same result as its planes, in every layout and from any start.
static void rows_equal_planes(void **state)
{
    (void)state;
    enum { W = 37, H = 3 };
    static uint8_t bytes[W * H * 4];
    static uint16_t words[W * H * 4];
    static float red[W], green[W], blue[W], expected[W], out[W];
    uint32_t seed = 8;
    struct lq_guide guide = {{0.8f, -1.3f, 2.1f}, 0.2f, 0.1f};
    for (int channels = 3; channels <= 4; channels++)
        for (int depth = 8; depth <= 16; depth += 8)
            for (int x = 0; x < 5; x++) {
                for (int i = 0; i < W * H * 4; i++) {
                    bytes[i] = (uint8_t)unit_random(&seed);
                    words[i] = (uint16_t)(bytes[i] * 257);
                }
                struct lq_image image = {depth == 8 ? bytes : (uint8_t *)words, W, H, channels,
                                         depth, (size_t)(W * channels * depth / 8)};
                int n = W - x;
                const struct lq_rgb_row planes = {red, green, blue, n};
                const struct lq_blocks pixels = {x, 1, 1, n, 1};
                lq_guide_sample(&image, &pixels, &planes);
                for (int i = 0; i < n; i++)
                    assert_float_equal(green[i], bytes[(W + x + i) * channels + 1] / 255.0f, 1e-6f);
                lq_guide_planes(&guide, &planes, expected);
                lq_guide_row(&guide, &image, x, 1, out, n);
                for (int i = 0; i < n; i++)
                    assert_float_equal(out[i], expected[i], 1e-5f);
            }
}

static void blocks_are_means(void **state)
{
    (void)state;
    uint8_t pixels[4 * 4 * 3];
    for (int i = 0; i < 48; i++)
        pixels[i] = (uint8_t)(i / 3 * 10);
    struct lq_image image = {pixels, 4, 4, 3, 8, 12};
    float red[4], green[4], blue[4];
    const struct lq_rgb_row planes = {red, green, blue, 4};
    const struct lq_blocks whole = {0, 0, 2, 2, 2}, over_the_edge = {1, 1, 2, 2, 2};
    lq_guide_sample(&image, &whole, &planes);
    assert_float_equal(red[0], 25.0f / 255.0f, 1e-6f);
    assert_float_equal(blue[3], 125.0f / 255.0f, 1e-6f);
    lq_guide_sample(&image, &over_the_edge, &planes);
    assert_float_equal(red[0], 75.0f / 255.0f, 1e-6f);
    assert_float_equal(red[3], 150.0f / 255.0f, 1e-6f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separates_two_colors),
        cmocka_unit_test(one_color_gives_a_flat_guide),
        cmocka_unit_test(rows_equal_planes),
        cmocka_unit_test(blocks_are_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
