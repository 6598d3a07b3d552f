#include "image/codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "unit/unit.h"

static struct lq_codec *codec;
static struct lq_error error;

static int set_up(void **state)
{
    (void)state;
    return lq_codec_new(&codec, &error);
}

static int tear_down(void **state)
{
    (void)state;
    lq_codec_free(codec);
    return 0;
}

// A smooth picture with a different slope in each channel, so that no two of its corners, rows or
// channels can be mistaken for each other.
static void make_picture(struct lq_image *image, struct lq_buf *buf, int width, int height,
                         int channels)
{
    assert_ok(lq_image_alloc(image, buf, width, height, channels, 8));
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int values[4] = {255 * x / width, 255 * y / height, 128, 40 + 200 * x / width};
            for (int c = 0; c < channels; c++)
                lq_image_row(image, y)[x * channels + c] = (uint8_t)values[c];
        }
    }
}

static int largest_difference(const struct lq_image *a, const struct lq_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    int largest = 0;
    for (int y = 0; y < a->height; y++) {
        for (int i = 0; i < a->width * a->channels; i++) {
            int difference = abs(lq_image_row(a, y)[i] - lq_image_row(b, y)[i]);
            largest = difference > largest ? difference : largest;
        }
    }
    return largest;
}

static void round_trips(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {17, 9}, {64, 48}, {101, 67}};
    struct lq_buf source_buf, file, pixels;
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 1 << 20);
    lq_buf_init(&pixels, 1 << 20);
    for (size_t i = 0; i < LQ_COUNT(sizes); i++) {
        struct lq_image source, image;
        make_picture(&source, &source_buf, sizes[i][0], sizes[i][1], 3);
        lq_buf_clear(&file);
        assert_ok(lq_codec_encode_jpeg(codec, &source, 95, NULL, &file, &error));
        assert_ok(lq_codec_decode(codec, file.data, file.len, 1 << 20, &pixels, &image, NULL,
                                  &error));
        assert_true(largest_difference(&source, &image) <= 8);
        for (int channels = 3; channels <= 4; channels++) {
            make_picture(&source, &source_buf, sizes[i][0], sizes[i][1], channels);
            lq_buf_clear(&file);
            assert_ok(lq_codec_encode_png(codec, &source, NULL, &file, &error));
            assert_ok(lq_codec_decode(codec, file.data, file.len, 1 << 20, &pixels, &image, NULL,
                                      &error));
            assert_int_equal(largest_difference(&source, &image), 0);
        }
    }
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
