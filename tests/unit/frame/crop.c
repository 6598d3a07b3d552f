#include "frame/crop.h"

#include <string.h>

#include "unit/unit.h"

enum { SIDE_MAX = 40, CODE_MAX = SIDE_MAX * SIDE_MAX * 2 };

static uint8_t alpha[SIDE_MAX * 64], code[CODE_MAX], back[SIDE_MAX * SIDE_MAX];

// The worked example of docs/PROTOCOL.md.
static const uint8_t example_alpha[] = {0, 0, 0, 0, 0x50, 255, 255, 0xc0};
static const uint8_t example_code[] = {0x21, 0x50, 0x91, 0xc0};

static void codes_the_worked_example(void **state)
{
    (void)state;
    assert_int_equal(lq_crop_encode(example_alpha, 4, 4, 2, code), sizeof example_code);
    assert_memory_equal(code, example_code, sizeof example_code);
    assert_ok(lq_crop_decode(example_code, sizeof example_code, back, 4, 2));
    assert_memory_equal(back, example_alpha, sizeof example_alpha);
}

// Draws samples of which `soft` in 8 are between 0 and 255, in rows of `stride` bytes.
static void draw(uint32_t *seed, int width, int height, size_t stride, uint32_t soft)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint32_t r = unit_random(seed);
            uint8_t hard = (r >> 3 & 15) < 8 ? 0 : 255;
            alpha[(size_t)y * stride + (size_t)x] = (r & 7) < soft ? (uint8_t)(r >> 8) : hard;
        }
}

static void loses_nothing(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int round = 0; round < 2000; round++) {
        int width = 1 + (int)(unit_random(&seed) % SIDE_MAX);
        int height = 1 + (int)(unit_random(&seed) % SIDE_MAX);
        size_t stride = (size_t)width + unit_random(&seed) % 16;
        draw(&seed, width, height, stride, (uint32_t)round % 9);
        size_t len = lq_crop_encode(alpha, stride, width, height, code);
        assert_true(len <= lq_crop_bytes_max(width, height));
        assert_ok(lq_crop_decode(code, len, back, width, height));
        for (int y = 0; y < height; y++)
            assert_memory_equal(back + y * width, alpha + (size_t)y * stride, (size_t)width);
    }
}

static void long_runs_take_few_bytes(void **state)
{
    (void)state;
    memset(alpha, 255, sizeof alpha);
    size_t len = lq_crop_encode(alpha, SIDE_MAX, SIDE_MAX, SIDE_MAX, code);
    assert_int_equal(len, 12); // 1600 samples, 270 a token of two bytes
    assert_ok(lq_crop_decode(code, len, back, SIDE_MAX, SIDE_MAX));
    assert_memory_equal(back, alpha, SIDE_MAX * SIDE_MAX);
}

static void refuses_broken_code(void **state)
{
    (void)state;
    uint32_t seed = 9;
    draw(&seed, 20, 20, 20, 3);
    size_t len = lq_crop_encode(alpha, 20, 20, 20, code);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(lq_crop_decode(code, cut, back, 20, 20), LQ_ERR_SYNTAX);
    code[len] = 0;
    assert_int_equal(lq_crop_decode(code, len + 1, back, 20, 20), LQ_ERR_SYNTAX);
    assert_int_equal(lq_crop_decode(code, len, back, 20, 19), LQ_ERR_SYNTAX);
    const uint8_t nothing[] = {0x00, 0x08}, endless[] = {0x78};
    assert_int_equal(lq_crop_decode(nothing, 2, back, 1, 1), LQ_ERR_SYNTAX);
    assert_int_equal(lq_crop_decode(endless, 1, back, 20, 20), LQ_ERR_SYNTAX);
    // Random bytes are decoded or rejected, and nothing is written outside the crop (the sanitizer
    // checks).
    for (int round = 0; round < 5000; round++) {
        size_t n = 1 + unit_random(&seed) % 40;
        for (size_t i = 0; i < n; i++)
            code[i] = (uint8_t)unit_random(&seed);
        (void)!lq_crop_decode(code, n, back, 8, 8);
    }
}

static void shrinks_by_means(void **state)
{
    (void)state;
    const uint8_t from[] = {100, 200, 40, 0, 0, 20};
    uint8_t to[2];
    lq_crop_shrink(from, 3, 3, 2, 2, to);
    assert_int_equal(to[0], 75); // (100 + 200 + 0 + 0) / 4
    assert_int_equal(to[1], 15); // (40 + 20) / 4: samples outside count as 0
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_the_worked_example),
        cmocka_unit_test(loses_nothing),
        cmocka_unit_test(long_runs_take_few_bytes),
        cmocka_unit_test(refuses_broken_code),
        cmocka_unit_test(shrinks_by_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
