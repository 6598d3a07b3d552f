#include "image/color.h"

#include <stdbool.h>

#include <lcms2.h>

#include "base/limits.h"
#include "image/codec.h"
#include "unit/image/pictures.h"

static const double P3[8] = {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060};
static const double ADOBE[8] = {0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06};
static const double SRGB[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};

static struct lq_color *color;
static struct lq_buf icc, pixels, other;
static struct lq_image image, shown;

static int set_up(void **state)
{
    (void)state;
    lq_buf_init(&icc, LQ_PROFILE_BYTES_MAX);
    lq_buf_init(&pixels, 1 << 24);
    lq_buf_init(&other, 1 << 24);
    return lq_color_new(&color);
}

static int tear_down(void **state)
{
    (void)state;
    lq_buf_release(&icc);
    lq_buf_release(&pixels);
    lq_buf_release(&other);
    lq_color_free(color);
    return 0;
}

static void make(const double xy[8], double gamma)
{
    lq_buf_clear(&icc);
    assert_ok(lq_color_profile(xy, gamma, &icc));
}

static enum lq_color_kind kind(void)
{
    return lq_color_set(color, icc.data, icc.len);
}

static void save(cmsHPROFILE profile)
{
    cmsUInt32Number len = 0;
    assert_true(cmsSaveProfileToMem(profile, NULL, &len));
    assert_ok(lq_buf_resize(&icc, len));
    assert_true(cmsSaveProfileToMem(profile, icc.data, &len));
    cmsCloseProfile(profile);
}

// Lab of colours whose first three channels are RGB, or of inks, each of which absorbs light.
static cmsInt32Number sample(const cmsUInt16Number in[], cmsUInt16Number out[], void *cargo)
{
    double light = 1;
    for (int i = 0; i < *(const int *)cargo; i++)
        light *= *(const int *)cargo == 4 ? 1 - in[i] / 65535.0 : in[i] / 65535.0;
    const cmsCIELab lab = {100 * light, 0, 0};
    cmsFloat2LabEncoded(out, &lab);
    return TRUE;
}

// A profile as of a scanner or printer: a table from its values to Lab, and none back.
static void make_table(int channels, cmsColorSpaceSignature space)
{
    cmsHPROFILE profile = cmsCreateProfilePlaceholder(NULL);
    cmsPipeline *table = cmsPipelineAlloc(NULL, (cmsUInt32Number)channels, 3);
    cmsStage *grid = cmsStageAllocCLut16bit(NULL, 5, (cmsUInt32Number)channels, 3, NULL);
    assert_true(cmsStageSampleCLut16bit(grid, sample, &channels, 0));
    cmsStage *stages[3] = {
        cmsStageAllocToneCurves(NULL, (cmsUInt32Number)channels, NULL), grid,
        cmsStageAllocToneCurves(NULL, 3, NULL)}; // the only order that a profile may have
    for (int i = 0; i < 3; i++)
        assert_true(cmsPipelineInsertStage(table, cmsAT_END, stages[i]));
    cmsSetProfileVersion(profile, 4.3);
    cmsSetDeviceClass(profile, channels == 4 ? cmsSigOutputClass : cmsSigInputClass);
    cmsSetColorSpace(profile, space);
    cmsSetPCS(profile, cmsSigLabData);
    assert_true(cmsWriteTag(profile, cmsSigAToB0Tag, table));
    cmsPipelineFree(table);
    save(profile);
}

static void make_grey(double gamma)
{
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma);
    save(cmsCreateGrayProfile(cmsD50_xyY(), curve));
    cmsFreeToneCurve(curve);
}

static void distinguishes_kinds(void **state)
{
    (void)state;
    assert_int_equal(lq_color_set(color, NULL, 0), LQ_COLOR_SRGB);
    save(cmsCreate_sRGBProfile());
    assert_int_equal(kind(), LQ_COLOR_SRGB);
    make(P3, 0);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS); // kept
    make(ADOBE, 563 / 256.0);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    make(SRGB, 1);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    make_grey(2.2);
    assert_int_equal(kind(), LQ_COLOR_GREY);
    make_table(3, cmsSigRgbData);
    assert_int_equal(kind(), LQ_COLOR_READ_ONLY);
    make_table(4, cmsSigCmykData);
    assert_int_equal(kind(), LQ_COLOR_INKS);
    save(cmsCreateLab4Profile(NULL));
    assert_int_equal(kind(), LQ_COLOR_SRGB);
}

// PNG chunks that describe sRGB itself, or something impossible.
static void only_sensible_chunks_make_profiles(void **state)
{
    (void)state;
    static const double gammas[] = {0, 2.2, 1 / 0.45455, 1e9, -1, 0.001};
    for (size_t i = 0; i < LQ_COUNT(gammas); i++) {
        make(SRGB, gammas[i]);
        assert_int_equal(icc.len, 0);
    }
    const double flat[8] = {0.3127, 0.3290, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3}, none[8] = {0};
    make(flat, 0);
    assert_int_equal(icc.len, 0);
    make(none, 0);
    assert_int_equal(icc.len, 0);
}

static void light_of(const uint8_t rgb[3], float light[3])
{
    const struct lq_image one = {(uint8_t *)(uintptr_t)rgb, 1, 1, 3, 8, 3, NULL};
    lq_color_read(color, &one, rgb, &(struct lq_rgb_row){&light[0], &light[1], &light[2], 1});
}

static void reads_linear_light_of_srgb(void **state)
{
    (void)state;
    float light[3];
    make(P3, 0);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    light_of((const uint8_t[]){255, 255, 255}, light);
    for (int k = 0; k < 3; k++)
        assert_true(light[k] > 0.999f && light[k] <= 1);
    light_of((const uint8_t[]){234, 51, 35}, light); // sRGB's red in Display P3
    assert_true(light[0] > 0.985f && light[1] < 0.006f && light[2] < 0.006f);
    light_of((const uint8_t[]){117, 251, 76}, light); // … and its green
    assert_true(light[1] > 0.985f && light[0] < 0.006f && light[2] < 0.008f);
}

// In every format and at odd positions, storing what was read restores the same bytes.
static void converts_there_and_back(void **state)
{
    (void)state;
    static const double gammas[2] = {0, 563 / 256.0};
    enum { WIDTH = 613, STEP = 37 };
    float red[WIDTH], green[WIDTH], blue[WIDTH];
    const struct lq_rgb_row row = {red, green, blue, WIDTH};
    for (int test = 0; test < 8; test++) {
        int channels = 3 + test % 2, depth = test & 2 ? 16 : 8;
        make(test & 4 ? ADOBE : P3, gammas[test / 4]);
        assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
        assert_ok(lq_image_alloc(&image, &pixels, WIDTH, 1, channels, depth));
        for (int i = 0; i < WIDTH * channels; i++) {
            unsigned value = (unsigned)(i * STEP) % 120 + 80; // greyish: within both spaces
            if (depth == 8)
                image.data[i] = (uint8_t)value;
            else
                ((uint16_t *)(void *)image.data)[i] = (uint16_t)(value * 257u);
        }
        lq_color_read(color, &image, image.data, &row);
        lq_color_store(color, &row);
        const float *planes[3] = {red, green, blue};
        for (int i = 0; i < WIDTH * 3; i++) {
            float was = (float)((unsigned)(i / 3 * channels + i % 3) * STEP % 120 + 80) / 255.0f;
            assert_true(planes[i % 3][i / 3] > was - 0.001f && planes[i % 3][i / 3] < was + 0.001f);
        }
    }
}

static void shows_what_cannot_be_stored_as_srgb(void **state)
{
    (void)state;
    make_table(3, cmsSigRgbData);
    assert_int_equal(kind(), LQ_COLOR_READ_ONLY);
    for (int test = 0; test < 4; test++) {
        int channels = 3 + test % 2;
        assert_ok(lq_image_alloc(&image, &pixels, 300, 2, channels, test & 2 ? 16 : 8));
        memset(image.data, 0xcc, image.stride * 2);
        lq_color_to_srgb(color, &image, &image); // L* 53.8 between the grid's 42 and 100
        const uint8_t *last = lq_image_row(&image, 1) + 299 * lq_image_pixel_bytes(&image);
        for (int c = 0; c < channels; c++) {
            int value = last[c * image.depth / 8 + image.depth / 8 - 1];
            assert_true(c < 3 ? abs(value - 128) <= 2 : value == 0xcc);
        }
    }
    make(P3, 0);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    assert_ok(lq_image_alloc(&shown, &other, 300, 2, 3, 8));
    lq_color_to_srgb(color, &image, &shown);
    assert_true(abs(lq_image_row(&shown, 1)[299 * 3] - 128) <= 3); // grey is grey in both
}

static void shows_grey_and_inks_as_srgb(void **state)
{
    (void)state;
    make_grey(1.0);
    assert_int_equal(kind(), LQ_COLOR_GREY);
    assert_ok(lq_image_alloc(&image, &pixels, 300, 1, 3, 8));
    memset(image.data, 55, image.stride); // linear 0.2157 is 128 in sRGB
    lq_color_grey_to_srgb(color, &image);
    for (int i = 0; i < 900; i++)
        assert_in_range(image.data[i], 126, 130);
    make_table(4, cmsSigCmykData);
    assert_int_equal(kind(), LQ_COLOR_INKS);
    const uint8_t inks[8] = {0, 0, 0, 0, 255, 255, 255, 255};
    uint8_t rgb[6];
    lq_color_inks_to_srgb(color, false, inks, rgb, 2);
    assert_true(rgb[0] > 250 && rgb[3] < 5);
    lq_color_inks_to_srgb(color, true, inks, rgb, 2);
    assert_true(rgb[0] < 5 && rgb[3] > 250);
}

static void broken_ones_count_as_none(void **state)
{
    (void)state;
    uint32_t seed = 3;
    make(P3, 0);
    for (size_t len = 0; len < icc.len; len += len < 200 ? 1 : 7)
        (void)lq_color_set(color, icc.data, len);
    assert_int_equal(lq_color_set(color, icc.data, 100), LQ_COLOR_SRGB);
    assert_int_equal(kind(), LQ_COLOR_BOTH_WAYS);
    for (int round = 0; round < 2000; round++) {
        make(P3, 0);
        for (int i = 0; i < 1 + round % 4; i++)
            icc.data[unit_random(&seed) % icc.len] = (uint8_t)unit_random(&seed);
        (void)kind();
    }
    icc_make(&icc, 3000, "RGB ");
    assert_int_equal(kind(), LQ_COLOR_SRGB);
}

// Encodes a picture with the profile in `icc` to a file and decodes it.
static void through_a_file(struct lq_codec *codec, struct lq_picture_info *info, bool png)
{
    struct lq_error error;
    picture_make(&image, &pixels, 40, 30, 3);
    lq_buf_clear(&other);
    assert_ok(png ? lq_codec_encode_png(codec, &image, &icc, &other, &error)
                  : lq_codec_encode_jpeg(codec, &image, 95, &icc, &other, &error));
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){other.data, other.len, 1200},
                              &pixels, &image, info, &error));
}

// crosses: PROFILE_BYTES_MAX
static void the_codec_reports_the_color_space(void **state)
{
    (void)state;
    struct lq_codec *codec;
    struct lq_error error;
    struct lq_picture_info info;
    lq_picture_info_init(&info);
    assert_ok(lq_codec_new(&codec, &error));
    for (int png = 0; png < 2; png++) {
        make(P3, 0);
        through_a_file(codec, &info, png);
        assert_non_null(image.color);
        assert_int_equal(info.icc.len, icc.len);
        save(cmsCreate_sRGBProfile());
        through_a_file(codec, &info, png);
        assert_null(image.color);
        assert_int_equal(info.icc.len, icc.len); // the profile is still reported
        make_table(3, cmsSigRgbData);
        through_a_file(codec, &info, png);
        assert_null(image.color);
        assert_int_equal(info.icc.len, 0); // used up
        make(P3, 0);
        size_t len = icc.len;
        icc.max = LQ_PROFILE_BYTES_MAX + 1;
        assert_ok(lq_buf_resize(&icc, LQ_PROFILE_BYTES_MAX + 1));
        memset(icc.data + len, 0, icc.len - len);
        through_a_file(codec, &info, png);
        assert_null(image.color);
        assert_int_equal(info.icc.len, 0);
    }
    lq_picture_info_release(&info);
    lq_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinguishes_kinds),
        cmocka_unit_test(only_sensible_chunks_make_profiles),
        cmocka_unit_test(reads_linear_light_of_srgb),
        cmocka_unit_test(converts_there_and_back),
        cmocka_unit_test(shows_what_cannot_be_stored_as_srgb),
        cmocka_unit_test(shows_grey_and_inks_as_srgb),
        cmocka_unit_test(broken_ones_count_as_none),
        cmocka_unit_test(the_codec_reports_the_color_space),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
