#include "paint/pattern.h"

#include <string.h>

#include "image/codec.h"
#include "unit/unit.h"

static struct lq_buf file;

// A picture with a red left half and a clear right half, as PNG.
static void draw(int width, int height)
{
    struct lq_buf pixels;
    struct lq_image image;
    struct lq_codec *codec;
    lq_buf_init(&pixels, 8 << 20);
    lq_buf_init(&file, 8 << 20);
    assert_ok(lq_image_alloc(&image, &pixels, width, height, 4, 8));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint8_t red[4] = {255, 0, 0, 255}, clear[4] = {0, 255, 0, 0};
            memcpy(lq_image_row(&image, y) + 4 * x, 2 * x < width ? red : clear, 4);
        }
    assert_ok(lq_codec_new(&codec, NULL));
    assert_ok(lq_codec_encode_png(codec, &image, NULL, &file, NULL));
    lq_codec_free(codec);
    lq_buf_release(&pixels);
}

// The colour of a transparent texel is never visible, at any level.
static void levels_keep_their_means(void **state)
{
    (void)state;
    struct lq_pattern *pattern;
    draw(100, 37);
    assert_ok(lq_pattern_new(&pattern, "half", file.data, file.len, NULL));
    assert_true(pattern->level_count >= 3);
    for (int i = 0; i < pattern->level_count; i++) {
        const struct lq_pattern_level *level = &pattern->levels[i];
        float sum[4] = {0};
        for (int k = 0; k < level->width * level->height * 4; k++)
            sum[k % 4] += level->texels[k] / (float)(level->width * level->height);
        assert_float_equal(sum[0], 0.5f, 0.05f);
        assert_float_equal(sum[1], 0.0f, 1e-6f);
        assert_float_equal(sum[3], 0.5f, 0.05f);
    }
    assert_int_equal(lq_pattern_level(pattern, 100)->width, 100);
    assert_int_equal(lq_pattern_level(pattern, 49)->width, 50);
    assert_int_equal(lq_pattern_level(pattern, 1e9f)->width, 100);
    float x[4] = {-1e6f, 0.25f, 0.5f, 1e6f}, y[4] = {-1, 0.5f, 0.5f, 2}, r[4], g[4], b[4], a[4];
    lq_pattern_read(&pattern->levels[0], x, y, &(struct lq_rgb_row){r, g, b, 4}, a);
    assert_float_equal(a[0], 1.0f, 1e-5f);
    assert_float_equal(r[1], 1.0f, 1e-5f);
    assert_float_equal(a[2], 0.5f, 1e-5f); // between the halves
    assert_float_equal(a[3], 0.0f, 1e-5f);
    lq_pattern_free(pattern);
    lq_buf_release(&file);
}

// How far a nail of that length stretches a pattern's shapes.
static float stretch_of(const struct lq_pattern *pattern, float aspect)
{
    const struct lq_pattern_level *whole = &pattern->levels[0];
    return aspect / lq_pattern_span(pattern, aspect) * (float)whole->width / (float)whole->height;
}

// On a nail of any length spots stay round, and the pattern repeats where it ends.
static void long_nails_repeat_it_unstretched(void **state)
{
    (void)state;
    struct lq_pattern *pattern;
    draw(128, 192);
    assert_ok(lq_pattern_new(&pattern, "tall", file.data, file.len, NULL));
    assert_float_equal(lq_pattern_span(pattern, 1.5f), 1.0f, 1e-5f); // as it is drawn: once
    float before = 0.0f;
    for (float aspect = 0.7f; aspect < 5.0f; aspect += 0.05f) {
        assert_in_range((int)(100.0f * stretch_of(pattern, aspect)), 86, 115);
        assert_true(lq_pattern_span(pattern, aspect) >= before);
        before = lq_pattern_span(pattern, aspect);
    }
    float x[2] = {0.49f, 0.49f}, y[2] = {0.3f, 1.3f}, r[2], g[2], b[2], a[2];
    lq_pattern_read(&pattern->levels[1], x, y, &(struct lq_rgb_row){r, g, b, 2}, a);
    assert_float_equal(a[0], a[1], 1e-4f);
    lq_pattern_free(pattern);
    lq_buf_release(&file);
}

static void refuses_what_is_too_large_or_no_picture(void **state)
{
    (void)state;
    struct lq_pattern *pattern = NULL;
    struct lq_error err;
    draw(513, 4);
    assert_int_equal(lq_pattern_new(&pattern, "wide", file.data, file.len, &err),
                     LQ_ERR_TOO_LARGE);
    assert_string_equal(err.text, "pattern 'wide': 513 x 4 pixels: at most 512 on a side");
    assert_int_equal(lq_pattern_new(&pattern, "cut", file.data, file.len / 2, &err),
                     LQ_ERR_CORRUPT);
    assert_int_equal(lq_pattern_new(&pattern, "none", file.data, 0, &err), LQ_ERR_FORMAT);
    assert_null(pattern);
    lq_buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_keep_their_means),
        cmocka_unit_test(long_nails_repeat_it_unstretched),
        cmocka_unit_test(refuses_what_is_too_large_or_no_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
