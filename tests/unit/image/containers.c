// WebP, AVIF and HEIC, and the errors for files of other kinds. The pictures are the fuzz targets'
// inputs: one of 32x24 pixels in many variants (HEIC: twice as large).
#include <stdbool.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "image/codec.h"
#include "image/foreign.h"
#include "image/orient.h"
#include "unit/image/pictures.h"

static struct lq_codec *codec;
static struct lq_error error;
static struct lq_picture_info info;
static struct lq_buf file, edited, pixels, source_pixels, turned_pixels;
static struct lq_image image, source, turned;
static struct lq_buf *const bufs[] = {&file, &edited, &pixels, &source_pixels, &turned_pixels};
static const struct codec_fixture fixture = {&codec, bufs, LQ_COUNT(bufs), &info, &error};

static void load(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "tests/fuzz/corpus/%s", name);
    lq_buf_clear(&file);
    assert_ok(lq_file_read(path, &file, &error));
}

static int decode(const struct lq_buf *from, size_t pixels_max)
{
    return lq_codec_decode(codec, &(struct lq_picture_file){from->data, from->len, pixels_max},
                           &pixels, &image, &info, &error);
}

static void decode_whole(const char *name)
{
    load(name);
    if (decode(&file, 1 << 20) != LQ_OK)
        fail_msg("'%s': %s", name, error.text);
}

// The mean difference of the three colours; alpha does not count.
static double mean_difference(const struct lq_image *a, const struct lq_image *b)
{
    double sum = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            for (int c = 0; c < 3; c++)
                sum += abs(lq_image_row(a, y)[x * a->channels + c] -
                           lq_image_row(b, y)[x * b->channels + c]);
    return sum / (3.0 * a->width * a->height);
}

static void load_source(void)
{
    load("webp/lossless");
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                              &source_pixels, &source, NULL, &error));
    assert_int_equal(source.width, 32);
    assert_int_equal(source.height, 24);
}

static void reads_webp_and_avif(void **state)
{
    (void)state;
    load_source();
    static const struct {
        const char *name;
        enum lq_picture_kind kind;
        int channels;
    } cases[] = {
        {"webp/lossy", LQ_PICTURE_WEBP, 3},      {"webp/alpha", LQ_PICTURE_WEBP, 4},
        {"webp/alpha-lossless", LQ_PICTURE_WEBP, 4},
        {"avif/rgb", LQ_PICTURE_AVIF, 3},        {"avif/444", LQ_PICTURE_AVIF, 3},
        {"avif/alpha", LQ_PICTURE_AVIF, 4},      {"avif/film", LQ_PICTURE_AVIF, 3},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        decode_whole(cases[i].name);
        assert_int_equal(info.kind, cases[i].kind);
        assert_int_equal(lq_picture_sniff(file.data, file.len), cases[i].kind);
        assert_int_equal(image.channels, cases[i].channels);
        if (image.channels == 3)
            assert_true(mean_difference(&image, &source) < 12);
    }
    decode_whole("avif/grey");
    assert_int_equal(info.source_channels, 1);
    assert_int_equal(image.channels, 3);
}

static void turns_upright_and_keeps_profiles(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int orientation;
    } cases[] = {{"avif/turned-2", 2}, {"avif/turned-5", 5}, {"avif/turned-6", 6},
                 {"avif/turned-7", 7}, {"webp/profile-exif", 6}};
    load_source();
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        int swaps = lq_orientation_swaps(cases[i].orientation);
        assert_ok(lq_image_alloc(&turned, &turned_pixels, swaps ? 24 : 32, swaps ? 32 : 24, 3, 8));
        lq_orient_upright(&source, cases[i].orientation, &turned);
        decode_whole(cases[i].name);
        assert_int_equal(info.orientation, cases[i].orientation);
        assert_true(mean_difference(&image, &turned) < 12);
        assert_true(info.icc.len > 128);
        assert_non_null(image.color);
    }
}

static void reads_heic_where_libheif_is(void **state)
{
    (void)state;
    load("heic/s");
    assert_int_equal(lq_picture_sniff(file.data, file.len), LQ_PICTURE_HEIC);
    int status = decode(&file, 1 << 20);
    if (status == LQ_ERR_FORMAT) {
        assert_non_null(strstr(error.text, "apt-get install libheif1"));
        skip();
    }
    decode_whole("heic/s");
    assert_int_equal(image.width, 64);
    assert_int_equal(image.channels, 3);
    assert_int_equal(info.kind, LQ_PICTURE_HEIC);
    assert_non_null(image.color);
    decode_whole("heic/sa");
    assert_int_equal(image.channels, 4);
    assert_int_equal(decode(&file, 100), LQ_ERR_TOO_LARGE);
    load("heic/s");
    for (size_t len = 12; len < file.len; len += 11) {
        file_copy(&edited, &file);
        edited.len = len;
        assert_true(decode(&edited, 1 << 20) != LQ_OK);
    }
}

// A truncated file is rejected unless the picture is complete.
static void never_half_a_picture(void **state)
{
    (void)state;
    static const char *const names[] = {"webp/lossy", "webp/lossless", "webp/alpha",
                                        "webp/profile-exif", "avif/rgb", "avif/alpha"};
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        load(names[i]);
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                                  &source_pixels, &source, NULL, &error));
        for (size_t len = 16; len < file.len; len++) {
            file_copy(&edited, &file);
            edited.len = len;
            int status = decode(&edited, 1 << 20);
            if (status == LQ_OK)
                assert_true(lq_orientation_swaps(info.orientation) ||
                            mean_difference(&image, &source) == 0);
        }
    }
}

// crosses: SOURCE_PIXELS_MAX
static void large_ones_are_refused_or_shrunk(void **state)
{
    (void)state;
    static const char *const names[] = {"webp/lossy", "webp/alpha", "avif/rgb"};
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        load(names[i]);
        assert_int_equal(decode(&file, 32 * 24 - 1), LQ_ERR_TOO_LARGE);
        info.may_shrink = true;
        int status = decode(&file, 32 * 24 - 1);
        info.may_shrink = false;
        assert_int_equal(status, info.kind == LQ_PICTURE_AVIF || i == 2 ? LQ_ERR_TOO_LARGE : LQ_OK);
        if (status == LQ_OK) {
            assert_int_equal(info.shrunk, 2);
            assert_int_equal(info.stored_width, 32);
            assert_int_equal(image.width, 16);
            assert_int_equal(image.height, 12);
        }
    }
    picture_make(&source, &source_pixels, 101, 67, 3);
    lq_buf_clear(&file);
    assert_ok(lq_codec_encode_jpeg(codec, &source, 90, NULL, &file, &error));
    static const int sides[][3] = {{101, 67, 1}, {51, 34, 2}, {26, 17, 4}, {13, 9, 8}};
    for (size_t i = 0; i < LQ_COUNT(sides); i++) {
        info.may_shrink = true;
        assert_ok(decode(&file, (size_t)sides[i][0] * (size_t)sides[i][1]));
        info.may_shrink = false;
        assert_int_equal(image.width, sides[i][0]);
        assert_int_equal(image.height, sides[i][1]);
        assert_int_equal(info.shrunk, sides[i][2]);
    }
    info.may_shrink = true;
    assert_int_equal(decode(&file, 100), LQ_ERR_TOO_LARGE);
    assert_int_equal(lq_picture_check_size(16001, 16000, 1 << 26, &info, &error), LQ_ERR_TOO_LARGE);
    assert_ok(lq_picture_check_size(16320, 12240, LQ_PICTURE_PIXELS_MAX, &info, &error));
    assert_int_equal(info.shrunk, 2);
    info.may_shrink = false;
}

static void writes_webp(void **state)
{
    (void)state;
    struct lq_buf icc;
    lq_buf_init(&icc, 1 << 20);
    icc_make(&icc, 333, "RGB ");
    for (int test = 0; test < 4; test++) {
        int channels = 3 + test % 2;
        picture_make(&source, &source_pixels, 61, 43, channels);
        lq_buf_clear(&file);
        assert_ok(lq_codec_encode_webp(codec, &source, 95, test & 2 ? &icc : NULL, &file, &error));
        assert_ok(decode(&file, 1 << 20));
        assert_int_equal(image.channels, channels);
        assert_true(mean_difference(&image, &source) < 4);
        assert_int_equal(info.icc.len, test & 2 ? icc.len : 0);
        if (test & 2)
            assert_memory_equal(info.icc.data, icc.data, icc.len);
    }
    picture_make(&source, &source_pixels, 16384, 2, 3);
    lq_buf_clear(&file);
    assert_int_equal(lq_codec_encode_webp(codec, &source, 95, NULL, &file, &error),
                     LQ_ERR_TOO_LARGE);
    assert_int_equal(file.len, 0);
    lq_buf_release(&icc);
}

static void names_what_it_does_not_take(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *said;
    } cases[] = {
        {"", 0, "is empty"},
        {"GIF89a\1\0\1\0", 10, "a GIF: save it as a JPEG"},
        {"BM12345678", 10, "a BMP"},
        {"II*\0\10\0\0\0", 8, "a TIFF"},
        {"MM\0*\0\0\0\10", 8, "a TIFF"},
        {"\0\0\0\x18" "ftypisom\0\0\2\0isommp41", 24, "a video (MP4): save one of its frames"},
        {"\0\0\0\x14" "ftypqt  \0\0\2\0qt  ", 20, "a video (MOV)"},
        {"\x1a\x45\xdf\xa3\1\2\3\4", 8, "a video (WebM"},
        {"RIFF\1\2\3\4AVI LIST", 16, "a video (AVI)"},
        {"\0\0\0\x0cJXL \r\n\x87\n", 12, "a JPEG XL"},
        {"<svg xmlns=", 11, "an SVG, a web page"},
        {"%PDF-1.4 ...", 12, "a PDF"},
        {"????????????", 12, "none of JPEG, PNG, WebP, AVIF and HEIC"},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        lq_buf_clear(&file);
        assert_ok(lq_buf_append(&file, cases[i].bytes, cases[i].len));
        assert_int_equal(decode(&file, 1 << 20), LQ_ERR_FORMAT);
        if (!strstr(error.text, cases[i].said))
            fail_msg("'%s' lacks '%s'", error.text, cases[i].said);
    }
    load("webp/film");
    assert_int_equal(decode(&file, 1 << 20), LQ_ERR_FORMAT);
    assert_non_null(strstr(error.text, "an animated WebP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_webp_and_avif),
        cmocka_unit_test(turns_upright_and_keeps_profiles),
        cmocka_unit_test(reads_heic_where_libheif_is),
        cmocka_unit_test(never_half_a_picture),
        cmocka_unit_test(large_ones_are_refused_or_shrunk),
        cmocka_unit_test(writes_webp),
        cmocka_unit_test(names_what_it_does_not_take),
    };
    return cmocka_run_group_tests(tests, codec_set_up, codec_tear_down);
}
