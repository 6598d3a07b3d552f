#include "image/codec.h"

#include "base/limits.h"
#include "unit/allocations.h"
#include "unit/image/pictures.h"

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
        picture_make(&source, &source_buf, sizes[i][0], sizes[i][1], 3);
        lq_buf_clear(&file);
        assert_ok(lq_codec_encode_jpeg(codec, &source, 95, NULL, &file, &error));
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                                  &pixels, &image, NULL, &error));
        assert_true(picture_difference(&source, &image) <= 8);
        for (int channels = 3; channels <= 4; channels++) {
            picture_make(&source, &source_buf, sizes[i][0], sizes[i][1], channels);
            lq_buf_clear(&file);
            assert_ok(lq_codec_encode_png(codec, &source, NULL, &file, &error));
            assert_ok(lq_codec_decode(codec,
                                      &(struct lq_picture_file){file.data, file.len, 1 << 20},
                                      &pixels, &image, NULL, &error));
            assert_int_equal(picture_difference(&source, &image), 0);
        }
    }
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
}

static void distinguishes_kinds(void **state)
{
    (void)state;
    const uint8_t png[8] = "\x89PNG\r\n\x1a\n", jpeg[3] = {0xff, 0xd8, 0xff};
    assert_int_equal(lq_picture_sniff(png, 8), LQ_PICTURE_PNG);
    assert_int_equal(lq_picture_sniff(png, 7), LQ_PICTURE_UNKNOWN);
    assert_int_equal(lq_picture_sniff(jpeg, 3), LQ_PICTURE_JPEG);
    assert_int_equal(lq_picture_sniff(jpeg, 2), LQ_PICTURE_UNKNOWN);
    assert_int_equal(lq_picture_sniff(NULL, 0), LQ_PICTURE_UNKNOWN);
    struct lq_buf pixels;
    struct lq_image image;
    lq_buf_init(&pixels, 1 << 20);
    static const uint8_t other[16] = "what is this?";
    assert_int_equal(lq_codec_decode(codec,
                                     &(struct lq_picture_file){other, sizeof(other), 1 << 20},
                                     &pixels, &image, NULL, &error), LQ_ERR_FORMAT);
    assert_string_equal(error.text, "the picture is none of JPEG, PNG, WebP, AVIF and HEIC");
    assert_int_equal(lq_codec_decode(codec, &(struct lq_picture_file){NULL, 0, 1 << 20}, &pixels,
                                     &image, NULL, NULL),
                     LQ_ERR_FORMAT);
    lq_buf_release(&pixels);
}

static void appends_after_a_head(void **state)
{
    (void)state;
    struct lq_buf source_buf, file, pixels;
    struct lq_image source, image;
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 1 << 20);
    lq_buf_init(&pixels, 1 << 20);
    picture_make(&source, &source_buf, 33, 21, 4);
    for (int quality = 1; quality <= 100; quality += 33) {
        lq_buf_clear(&file);
        assert_ok(lq_buf_append(&file, "0123456789abcdef", 16));
        assert_ok(lq_codec_encode_jpeg(codec, &source, quality, NULL, &file, &error));
        assert_memory_equal(file.data, "0123456789abcdef", 16);
        assert_ok(lq_codec_decode(codec,
                                  &(struct lq_picture_file){file.data + 16, file.len - 16, 33 * 21},
                                  &pixels, &image, NULL, &error));
        assert_int_equal(image.channels, 3); // a JPEG has no alpha
    }
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
}

static void leaves_a_full_buffer_as_it_was(void **state)
{
    (void)state;
    struct lq_buf source_buf, file;
    struct lq_image source;
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 100);
    picture_make(&source, &source_buf, 64, 64, 3);
    assert_ok(lq_buf_append(&file, "head", 4));
    assert_int_equal(lq_codec_encode_jpeg(codec, &source, 85, NULL, &file, &error),
                     LQ_ERR_TOO_LARGE);
    assert_int_equal(file.len, 4);
    assert_int_equal(lq_codec_encode_png(codec, &source, NULL, &file, &error), LQ_ERR_TOO_LARGE);
    assert_int_equal(file.len, 4);
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
}

static void rejects_impossible_arguments(void **state)
{
    (void)state;
    struct lq_buf source_buf, file;
    struct lq_image source;
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 1 << 20);
    picture_make(&source, &source_buf, 8, 8, 3);
    assert_int_equal(lq_codec_encode_jpeg(codec, &source, 0, NULL, &file, &error), LQ_ERR_ARGUMENT);
    assert_int_equal(lq_codec_encode_jpeg(codec, &source, 101, NULL, &file, &error),
                     LQ_ERR_ARGUMENT);
    source.channels = 2;
    assert_int_equal(lq_codec_encode_png(codec, &source, NULL, &file, &error), LQ_ERR_ARGUMENT);
    source.channels = 3;
    source.depth = 16;
    assert_int_equal(lq_codec_encode_jpeg(codec, &source, 85, NULL, &file, &error),
                     LQ_ERR_ARGUMENT);
    source.depth = 8;
    source.height = 0;
    assert_int_equal(lq_codec_encode_png(codec, &source, NULL, &file, &error), LQ_ERR_ARGUMENT);
    assert_int_equal(file.len, 0);
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
}

static void pixels_have_a_limit(void **state)
{
    (void)state;
    struct lq_buf source_buf, file, pixels;
    struct lq_image source, image = {0};
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 1 << 20);
    lq_buf_init(&pixels, 1 << 20);
    picture_make(&source, &source_buf, 30, 20, 3);
    for (int png = 0; png < 2; png++) {
        lq_buf_clear(&file);
        assert_ok(png ? lq_codec_encode_png(codec, &source, NULL, &file, &error)
                      : lq_codec_encode_jpeg(codec, &source, 85, NULL, &file, &error));
        assert_int_equal(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 599},
                                         &pixels, &image, NULL, &error), LQ_ERR_TOO_LARGE);
        assert_null(image.data);
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 600},
                                  &pixels, &image, NULL, &error));
        image.data = NULL;
        struct lq_buf small;
        lq_buf_init(&small, 1000);
        assert_int_equal(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 600},
                                         &small, &image, NULL, &error), LQ_ERR_TOO_LARGE);
        assert_null(image.data);
        lq_buf_release(&small);
    }
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
}

static void keeps_the_colour_profile(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *space;
        int channels;
        bool kept;
    } cases[] = {
        {128, "RGB ", 3, true},     {3144, "RGB ", 3, true},   {65519, "RGB ", 3, true},
        {65520, "RGB ", 3, true},   {200000, "RGB ", 4, true}, {3144, "GRAY", 1, true},
        {3144, "CMYK", 3, false},   {3144, "GRAY", 3, false},  {100, "RGB ", 3, false},
    };
    struct lq_buf source_buf, file, pixels, icc;
    struct lq_image source, image;
    struct lq_picture_info info;
    lq_buf_init(&source_buf, 1 << 20);
    lq_buf_init(&file, 1 << 20);
    lq_buf_init(&pixels, 1 << 20);
    lq_buf_init(&icc, 1 << 20);
    lq_picture_info_init(&info);
    for (size_t i = 0; i < 2 * LQ_COUNT(cases); i++) {
        const size_t test = i / 2;
        picture_make(&source, &source_buf, 16, 16, cases[test].channels);
        icc_make(&icc, cases[test].len, cases[test].space);
        lq_buf_clear(&file);
        assert_ok(i % 2 ? lq_codec_encode_png(codec, &source, &icc, &file, &error)
                        : lq_codec_encode_jpeg(codec, &source, 85, &icc, &file, &error));
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 256},
                                  &pixels, &image, &info, &error));
        assert_int_equal(info.icc.len, cases[test].kept ? icc.len : 0);
        if (cases[test].kept)
            assert_memory_equal(info.icc.data, icc.data, icc.len);
    }
    lq_picture_info_release(&info);
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
    lq_buf_release(&icc);
}

// Decodes and encodes a live frame many times: after the first, our own code allocates no memory.
// (libjpeg-turbo allocates its tables for every picture and frees them.)
static void allocates_nothing_once_warm(void **state)
{
    (void)state;
    struct lq_buf source_buf, file, pixels;
    struct lq_image source, image;
    lq_buf_init(&source_buf, 1 << 22);
    lq_buf_init(&file, 1 << 22);
    lq_buf_init(&pixels, 1 << 22);
    picture_make(&source, &source_buf, 320, 240, 3);
    size_t before = 0, foreign = 0;
    for (int frame = 0; frame < 20; frame++) {
        if (frame == 1) {
            before = allocations_own;
            foreign = allocations_foreign;
        }
        lq_buf_clear(&file);
        assert_ok(lq_codec_encode_jpeg(codec, &source, 85, NULL, &file, &error));
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 320 * 240},
                                  &pixels, &image, NULL, &error));
    }
    assert_int_equal(allocations_own - before, 0);
    if (allocations_counted)
        assert_in_range((allocations_foreign - foreign) / 19, 1, 60);
    lq_buf_release(&source_buf);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(distinguishes_kinds),
        cmocka_unit_test(appends_after_a_head),
        cmocka_unit_test(leaves_a_full_buffer_as_it_was),
        cmocka_unit_test(rejects_impossible_arguments),
        cmocka_unit_test(pixels_have_a_limit),
        cmocka_unit_test(keeps_the_colour_profile),
        cmocka_unit_test(allocates_nothing_once_warm),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
