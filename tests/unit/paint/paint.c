#include "paint/paint.h"

#include <math.h>
#include <string.h>

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
    *nail = (struct lq_nail){.id = 1, .confidence = 1.0f, .x = 20, .y = 10, .width = 56,
                             .height = 60, .alpha = alpha, .alpha_stride = 56,
                             .center_x = 48.0f, .center_y = 40.0f, .axis_y = 1.0f,
                             .length = 44.0f, .breadth = 30.0f};
    for (int j = 0; j < nail->height; j++)
        for (int i = 0; i < nail->width; i++) {
            float u = ((float)(i + nail->x) + 0.5f - 48.0f) / 15.0f;
            float v = ((float)(j + nail->y) + 0.5f - 40.0f) / 22.0f;
            float cover = (1.0f - sqrtf(u * u + v * v)) * 18.0f + 0.5f;
            cover = fminf(fmaxf(cover, 0.0f), 1.0f);
            alpha[j * nail->width + i] = (uint8_t)(cover * 255.0f + 0.5f);
            nail->area += cover >= 0.5f;
        }
    return nails;
}

static uint8_t alpha_at(const struct lq_nail *nail, int x, int y)
{
    int i = x - nail->x, j = y - nail->y;
    return i < 0 || j < 0 || i >= nail->width || j >= nail->height
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
    look.finish = finish;
    look.sheen = sheen;
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

static void swatches_come_out_true(void **state)
{
    static const char *const colors[] = {"#c71585", "#b00020", "#ff0000", "#ff2d95", "#39ff14",
                                         "#e8c4b8", "#1b1464", "#808080", "#ffffff", "#000000",
                                         "#f5e663", "#5b1a18"};
    struct lq_nails nails = one_nail();
    for (size_t i = 0; i < LQ_COUNT(colors); i++) {
        struct lq_image image = flat_picture(3, 170);
        struct lq_look look = look_of(colors[i], LQ_FINISH_CREME, false);
        assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
        double mean[3], wanted[3];
        mean_of(&image, &nails.items[0], mean);
        for (int k = 0; k < 3; k++)
            wanted[k] = lq_srgb_decode(look.color[k] / 255.0);
        double difference = unit_delta_e_2000(mean, wanted);
        if (difference > 3.0)
            print_message("%s: delta E %.2f\n", colors[i], difference);
        assert_true(difference <= 3.0);
    }
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
        cmocka_unit_test(depths_agree),
        cmocka_unit_test(refuses_what_it_cannot_paint),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
