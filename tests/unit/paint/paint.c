#include "paint/paint.h"

#include <math.h>
#include <string.h>

#include "paint/scene.h"
#include "paint/transfer.h"
#include "unit/delta_e.h"
#include "unit/unit.h"

enum { W = 96, H = 80 };

static uint8_t pixels[W * H * 4];
static uint16_t deep[W * H * 4];
static uint8_t alpha[W * H];

// An upright elliptic nail of 44 x 30 pixels in the middle, edge about a pixel wide.
static struct lq_nails one_nail(void)
{
    struct lq_nails nails = {.count = 1};
    struct lq_nail *nail = &nails.items[0];
    *nail = (struct lq_nail){.id = 1, .confidence = 1.0f, .crop = {20, 10, 56, 60},
                             .alpha = alpha, .alpha_stride = 56,
                             .center_x = 48.0f, .center_y = 40.0f, .axis_y = 1.0f,
                             .length = 44.0f, .width = 30.0f};
    for (int j = 0; j < nail->crop.height; j++)
        for (int i = 0; i < nail->crop.width; i++) {
            float u = ((float)(i + nail->crop.x) + 0.5f - 48.0f) / 15.0f;
            float v = ((float)(j + nail->crop.y) + 0.5f - 40.0f) / 22.0f;
            float cover = (1.0f - sqrtf(u * u + v * v)) * 18.0f + 0.5f;
            cover = fminf(fmaxf(cover, 0.0f), 1.0f);
            alpha[j * nail->crop.width + i] = (uint8_t)(cover * 255.0f + 0.5f);
            nail->area += cover >= 0.5f;
        }
    return nails;
}

static uint8_t alpha_at(const struct lq_nail *nail, int x, int y)
{
    int i = x - nail->crop.x, j = y - nail->crop.y;
    return i < 0 || j < 0 || i >= nail->crop.width || j >= nail->crop.height
               ? 0 : nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i];
}

static struct lq_image flat_picture(int channels, uint8_t grey)
{
    memset(pixels, grey, sizeof(pixels));
    memset(pixels, 250, (size_t)(W * channels) * 2); // something white in the scene: daylight
    return (struct lq_image){pixels, W, H, channels, 8, (size_t)(W * channels)};
}

static struct lq_look look_of(const char *color, enum lq_finish finish, bool sheen)
{
    struct lq_look look = lq_look_default();
    assert_ok(lq_look_parse_color(&look, color, NULL));
    lq_look_set_finish(&look, finish);
    look.polish.sheen = sheen;
    return look;
}

// Mean linear colour where the nail is fully covered.
static void mean_of(const struct lq_image *image, const struct lq_nail *nail, double mean[3])
{
    int count = 0;
    mean[0] = mean[1] = mean[2] = 0.0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            if (alpha_at(nail, x, y) != 255)
                continue;
            const uint8_t *p = lq_image_row(image, y) + x * image->channels;
            for (int k = 0; k < 3; k++)
                mean[k] += lq_srgb_decode(p[k] / 255.0);
            count++;
        }
    for (int k = 0; k < 3; k++)
        mean[k] /= count;
}

static void only_covered_pixels_change(void **state)
{
    struct lq_nails nails = one_nail();
    for (int channels = 3; channels <= 4; channels++) {
        struct lq_image image = flat_picture(channels, 130);
        uint32_t seed = 3;
        for (size_t i = 0; i < sizeof(pixels); i++)
            pixels[i] = (uint8_t)unit_random(&seed);
        static uint8_t before[sizeof(pixels)];
        memcpy(before, pixels, sizeof(pixels));
        struct lq_look look = look_of("#c71585", LQ_FINISH_GLOSS, true);
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
        int changed = 0;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int k = 0; k < channels; k++) {
                    int at = (y * W + x) * channels + k;
                    changed += pixels[at] != before[at];
                    if (k == 3 || alpha_at(&nails.items[0], x, y) == 0)
                        assert_int_equal(pixels[at], before[at]);
                }
        assert_true(changed > 1000);
    }
}

// A painted swatch looks as a real one would beside the nail, in the estimated light.
static void swatches_come_out_true(void **state)
{
    static const char *const colors[] = {"#c71585", "#b00020", "#ff0000", "#ff2d95", "#39ff14",
                                         "#e8c4b8", "#1b1464", "#808080", "#ffffff", "#000000",
                                         "#f5e663", "#5b1a18"};
    struct lq_nails nails = one_nail();
    for (size_t i = 0; i < LQ_COUNT(colors); i++) {
        struct lq_image image = flat_picture(3, 170);
        struct lq_look look = look_of(colors[i], LQ_FINISH_CREME, false);
        struct lq_scene scene;
        lq_scene_judge(&scene, &image, &nails, NULL);
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
        double mean[3], wanted[3];
        mean_of(&image, &nails.items[0], mean);
        for (int k = 0; k < 3; k++)
            wanted[k] = lq_srgb_decode(look.polish.color[k] / 255.0) *
                        (double)(scene.light.exposure * scene.light.tint[k]);
        double difference = unit_delta_e_2000(mean, wanted);
        if (difference > 3.0)
            print_message("%s: delta E %.2f\n", colors[i], difference);
        assert_true(difference <= 3.0);
    }
}

// A French tip and an ombre are left out if it is not known which end is the tip.
static void the_tip_is_not_guessed(void **state)
{
    static uint8_t plain[sizeof pixels];
    struct lq_nails nails = one_nail();
    struct lq_look look = look_of("#b00020", LQ_FINISH_CREME, false);
    struct lq_image image = flat_picture(3, 170);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    memcpy(plain, pixels, sizeof plain);
    look.polish.french = (struct lq_french){.on = true, .color = {255, 255, 255}, .width = 0.3f};
    look.polish.ombre = (struct lq_ombre){.on = true, .color = {20, 20, 200}, .to = 1.0f};
    image = flat_picture(3, 170);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    assert_memory_equal(pixels, plain, sizeof plain);
    nails.items[0].tip_known = true;
    image = flat_picture(3, 170);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    assert_memory_not_equal(pixels, plain, sizeof plain);
}

// Brightness falls to the right on the bare nail; so it must on the painted one.
static void shading_is_kept(void **state)
{
    struct lq_nails nails = one_nail();
    struct lq_image image = flat_picture(3, 150);
    for (int y = 20; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int k = 0; k < 3; k++)
                lq_image_row(&image, y)[x * 3 + k] = (uint8_t)(230 - 2 * x - k * 20);
    struct lq_look look = look_of("#b00020", LQ_FINISH_CREME, false);
    look.polish.texture = 0.0f;
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    for (int x = 40; x < 58; x += 3)
        assert_true(lq_image_row(&image, 40)[x * 3] > lq_image_row(&image, 40)[(x + 3) * 3]);
}

static void draw_highlight(const struct lq_image *image)
{
    for (int y = 20; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t *p = lq_image_row(image, y) + x * 3;
            bool lit = x >= 52 && x < 55 && y >= 32 && y < 46;
            p[0] = lit ? 250 : 200;
            p[1] = lit ? 246 : 150;
            p[2] = lit ? 244 : 135;
        }
}

// A bare nail's highlight stays a highlight with sheen, and goes without.
static void highlights_are_kept(void **state)
{
    struct lq_nails nails = one_nail();
    int rise[2];
    for (int sheen = 0; sheen < 2; sheen++) {
        struct lq_image image = flat_picture(3, 150);
        draw_highlight(&image);
        struct lq_look look = look_of("#1b1464", LQ_FINISH_CREME, sheen);
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
        const uint8_t *row = lq_image_row(&image, 39);
        rise[sheen] = row[53 * 3 + 1] - row[58 * 3 + 1];
    }
    assert_true(rise[1] > 60);
    assert_true(rise[0] < 15);
}

// Mean difference of a pixel's green from the next one's, and the highest green, well inside the
// nail.
static double unrest_of(const struct lq_image *image, const struct lq_nail *nail, int *most)
{
    double sum = 0.0;
    int count = 0;
    *most = 0;
    for (int y = 25; y < 55; y++)
        for (int x = 40; x < 56; x++) {
            if (alpha_at(nail, x, y) != 255 || alpha_at(nail, x + 1, y) != 255)
                continue;
            const uint8_t *p = lq_image_row(image, y) + x * image->channels;
            int here = p[1], next = p[image->channels + 1];
            sum += here > next ? here - next : next - here;
            *most = here > *most ? here : *most;
            count++;
        }
    return sum / count;
}

// Matte polish hides the sparkle of the photo's nail: no pixel stands out from its neighbours.
static void matte_hides_the_photos_sparkle(void **state)
{
    struct lq_nails nails = one_nail();
    for (int dark = 0; dark < 2; dark++) {
        int most[2];
        for (int sparkling = 0; sparkling < 2; sparkling++) {
            struct lq_image image = flat_picture(3, 150);
            draw_highlight(&image);
            if (!sparkling)
                for (int y = 32; y < 46; y++)
                    memcpy(lq_image_row(&image, y) + 52 * 3, lq_image_row(&image, y) + 48 * 3, 9);
            struct lq_look look = look_of(dark ? "#181c40" : "#d2a08a", LQ_FINISH_MATTE, true);
            assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
            unrest_of(&image, &nails.items[0], &most[sparkling]);
        }
        assert_in_range(most[1], 1, most[0] + 6);
    }
}

// In a soft photo, highlights and flakes are as soft as the edges, with the same total brightness.
static void a_soft_picture_gets_soft_polish(void **state)
{
    static const enum lq_finish flaky[] = {LQ_FINISH_SHIMMER, LQ_FINISH_GLITTER,
                                           LQ_FINISH_HOLOGRAPHIC, LQ_FINISH_TEXTURED};
    struct lq_nails nails = one_nail();
    for (int i = -1; i < (int)LQ_COUNT(flaky); i++) {
        struct lq_look look = look_of("#a03050", i < 0 ? LQ_FINISH_GLOSS : flaky[i], true);
        double unrest[3], mean[3][3];
        int most[3];
        for (int k = 0; k < 3; k++) {
            nails.items[0].edge = (float[]){0.0f, 2.0f, 6.0f}[k];
            struct lq_image image = flat_picture(3, 130);
            assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
            unrest[k] = unrest_of(&image, &nails.items[0], &most[k]);
            mean_of(&image, &nails.items[0], mean[k]);
        }
        assert_true(unrest[1] == unrest[0] && most[1] == most[0]); // a sharp one stays as it was
        assert_true(unrest[2] < 0.75 * unrest[1] && most[2] < most[1]);
        for (int c = 0; c < 3; c++)
            assert_float_equal(mean[2][c], mean[1][c], 0.15 * mean[1][c]);
    }
}

static void free_edges_vanish(void **state)
{
    struct lq_nails nails = one_nail();
    struct lq_image image = flat_picture(3, 150);
    for (int y = 10; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t *p = lq_image_row(&image, y) + x * 3;
            p[0] = y < 26 ? 225 : 215;
            p[1] = y < 26 ? 215 : 160;
            p[2] = y < 26 ? 205 : 150;
        }
    struct lq_look look = look_of("#b00020", LQ_FINISH_CREME, false);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    const uint8_t *tip = lq_image_row(&image, 23) + 48 * 3;
    const uint8_t *body = lq_image_row(&image, 40) + 48 * 3;
    for (int k = 0; k < 3; k++)
        assert_in_range(tip[k] - body[k] + 30, 0, 60);
}

static void texture_scales_detail(void **state)
{
    struct lq_nails nails = one_nail();
    int contrast[3];
    for (int t = 0; t < 3; t++) {
        struct lq_image image = flat_picture(3, 150);
        for (int y = 10; y < H; y++)
            for (int x = 0; x < W; x++)
                memset(lq_image_row(&image, y) + x * 3, x % 2 ? 150 : 165, 3);
        struct lq_look look = look_of("#c71585", LQ_FINISH_CREME, false);
        look.polish.texture = 0.5f * (float)t;
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
        const uint8_t *row = lq_image_row(&image, 40);
        contrast[t] = row[48 * 3] - row[49 * 3];
    }
    assert_in_range(contrast[0] + 2, 0, 4); // of 15, rounded
    assert_true(contrast[1] > contrast[0] + 4);
    assert_true(contrast[2] > contrast[1] + 4);
}

// In a dim picture polish is darker, but keeps its hue.
static void dark_scenes_get_darker_polish(void **state)
{
    struct lq_nails nails = one_nail();
    double day[3], night[3];
    struct lq_look look = look_of("#b00020", LQ_FINISH_CREME, false);
    struct lq_image image = flat_picture(3, 170);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    mean_of(&image, &nails.items[0], day);
    memset(pixels, 40, sizeof(pixels));
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    mean_of(&image, &nails.items[0], night);
    assert_true(night[0] < 0.7 * day[0] && night[0] > 0.1 * day[0]);
    assert_true(night[0] > 10.0 * night[1]);
}

// With extreme pictures and looks, all samples stay finite, and nothing outside the nail changes.
static void extremes_stay_finite(void **state)
{
    static const char *const colors[] = {"#000", "#fff", "#00f", "#ff0"};
    struct lq_nails nails = one_nail();
    uint32_t seed = 11;
    for (int round = 0; round < 24; round++) {
        struct lq_image image = flat_picture(3, 0);
        for (int i = 0; i < W * H * 3; i++)
            pixels[i] = round % 3 == 0 ? 0 : round % 3 == 1 ? 255 : (uint8_t)unit_random(&seed);
        struct lq_look look = look_of(colors[round % 4], (enum lq_finish)(round % LQ_FINISH_COUNT),
                                      round & 1);
        look.polish.texture = 1.0f;
        look.polish.opacity = round % 5 == 0 ? 0.0f : 1.0f;
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    }
    // A nail with hardly any coverage: no pixel is fully covered, so there is nothing to fit.
    memset(alpha, 0, sizeof(alpha));
    alpha[30 * 56 + 28] = 40;
    struct lq_image image = flat_picture(3, 150);
    nails.items[0].length = nails.items[0].width = 0.0f;
    struct lq_look look = look_of("#fff", LQ_FINISH_GLOSS, true);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
}

static void one_pixel_pictures(void **state)
{
    uint8_t pixel[4] = {200, 150, 140, 66}, cover = 255;
    struct lq_image image = {pixel, 1, 1, 4, 8, 4};
    struct lq_nails nails = {.count = 1};
    nails.items[0] = (struct lq_nail){.id = 1, .crop = {0, 0, 1, 1}, .alpha = &cover,
                                      .alpha_stride = 1, .area = 1, .center_x = 0.5f,
                                      .center_y = 0.5f, .axis_x = 1.0f, .length = 1.0f,
                                      .width = 1.0f};
    struct lq_look look = look_of("#0000ff", LQ_FINISH_CREME, false);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    assert_int_equal(pixel[3], 66);
    assert_true(pixel[2] > 120 && pixel[0] < 60);
}

static void depths_agree(void **state)
{
    struct lq_nails nails = one_nail();
    struct lq_image image = flat_picture(4, 150);
    for (int i = 0; i < W * H * 4; i++)
        deep[i] = (uint16_t)(pixels[i] * 257);
    struct lq_image other = {(uint8_t *)deep, W, H, 4, 16, W * 8};
    struct lq_look look = look_of("#c71585", LQ_FINISH_GLOSS, true);
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    assert_ok(lq_paint(*state, &other, &nails, &look, NULL));
    for (int i = 0; i < W * H * 4; i++)
        assert_in_range(deep[i] - pixels[i] * 257 + 200, 0, 400);
}

static void refuses_what_it_cannot_paint(void **state)
{
    struct lq_nails nails = one_nail();
    struct lq_look look = lq_look_default();
    struct lq_error err;
    struct lq_image grey = {pixels, W, H, 1, 8, W};
    assert_int_equal(lq_paint(*state, &grey, &nails, &look, &err), LQ_ERR_ARGUMENT);
    struct lq_image image = flat_picture(3, 150);
    image.height = 40;
    assert_int_equal(lq_paint(*state, &image, &nails, &look, &err), LQ_ERR_ARGUMENT);
    assert_string_equal(err.text, "cannot paint: nail 1 leaves the picture");
}

static int setup(void **state)
{
    return lq_painter_new((struct lq_painter **)state);
}

static int teardown(void **state)
{
    lq_painter_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_covered_pixels_change),
        cmocka_unit_test(swatches_come_out_true),
        cmocka_unit_test(the_tip_is_not_guessed),
        cmocka_unit_test(shading_is_kept),
        cmocka_unit_test(highlights_are_kept),
        cmocka_unit_test(matte_hides_the_photos_sparkle),
        cmocka_unit_test(a_soft_picture_gets_soft_polish),
        cmocka_unit_test(free_edges_vanish),
        cmocka_unit_test(texture_scales_detail),
        cmocka_unit_test(dark_scenes_get_darker_polish),
        cmocka_unit_test(extremes_stay_finite),
        cmocka_unit_test(one_pixel_pictures),
        cmocka_unit_test(depths_agree),
        cmocka_unit_test(refuses_what_it_cannot_paint),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
