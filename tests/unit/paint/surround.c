// The surroundings that nails mirror: how a picture is surveyed, and that each nail's reflection
// depends on its position.
#include "paint/surround.h"

#include <math.h>
#include <string.h>

#include "paint/paint.h"
#include "paint/transfer.h"
#include "unit/unit.h"

enum { W = 192, H = 144, NAIL = 40 };

static uint8_t pixels[W * H * 3], alpha[NAIL * NAIL];

static struct lq_image picture(void)
{
    return (struct lq_image){pixels, W, H, 3, 8, W * 3};
}

static void fill(int left, int right, const uint8_t color[3])
{
    for (int y = 0; y < H; y++)
        for (int x = left; x < right; x++)
            memcpy(pixels + (y * W + x) * 3, color, 3);
}

// A room with a window at the left, a dark wall beside it and a bright one at the right.
static struct lq_image room(void)
{
    fill(0, 40, (const uint8_t[]){250, 250, 250});
    fill(40, 110, (const uint8_t[]){40, 44, 52});
    fill(110, W, (const uint8_t[]){190, 178, 160});
    return picture();
}

static void a_survey_measures_brightness_and_grey(void **state)
{
    (void)state;
    struct lq_surround surround;
    struct lq_image image = room();
    lq_surround_survey(&surround, &image);
    const float *middle = surround.level + 4 * LQ_SURROUND_SIDE;
    assert_true(middle[0] > 2.0f * middle[7] && middle[7] > 3.0f * middle[3]);
    assert_true(surround.brightest > 0.9f);
    assert_true(surround.trust > 0.3f); // the wall; the window is clipped
    assert_true(surround.white[0] > 1.1f * surround.white[2]); // it is warm
    fill(0, W, (const uint8_t[]){200, 40, 30});
    lq_surround_survey(&surround, &image);
    assert_true(surround.trust == 0.0f); // red is no light
    for (int i = 0; i < LQ_SURROUND_CELLS; i++)
        assert_float_equal(surround.level[i], 1.0f, 0.01f);
}

// Pictures of any size, down to a single pixel.
static void small_pictures_are_surveyed(void **state)
{
    (void)state;
    struct lq_surround surround;
    struct lq_image image = {pixels, 1, 1, 3, 8, 3};
    fill(0, W, (const uint8_t[]){0, 0, 0});
    lq_surround_survey(&surround, &image);
    for (int i = 0; i < LQ_SURROUND_CELLS; i++)
        assert_float_equal(surround.level[i], 1.0f, 1e-4f);
}

static void places_beyond_the_picture_are_mirrored(void **state)
{
    (void)state;
    const float whole = LQ_SURROUND_SIDE;
    for (float at = 0.6f; at < whole - 0.6f; at += 0.37f) {
        assert_float_equal(lq_surround_fold(at), at - 0.5f, 1e-4f);
        assert_float_equal(lq_surround_fold(-at), at - 0.5f, 1e-4f);
        assert_float_equal(lq_surround_fold(2.0f * whole - at), at - 0.5f, 1e-4f);
        assert_float_equal(lq_surround_fold(at + 20.0f * whole), at - 0.5f, 1e-3f);
    }
    for (float at = -99.0f; at < 99.0f; at += 0.31f)
        assert_true(lq_surround_fold(at) >= 0.0f && lq_surround_fold(at) < whole - 1.0f);
    assert_true(lq_surround_fold(NAN) >= 0.0f && lq_surround_fold(NAN) < whole - 1.0f);
}

static struct lq_nail round_nail(float x, float y, float turn)
{
    return (struct lq_nail){.id = 1, .confidence = 1.0f,
                            .crop = {(int)x - NAIL / 2, (int)y - NAIL / 2, NAIL, NAIL},
                            .alpha = alpha,
                            .alpha_stride = NAIL, .area = NAIL * NAIL * 3 / 4, .center_x = x,
                            .center_y = y, .axis_x = sinf(turn), .axis_y = -cosf(turn),
                            .length = NAIL, .width = NAIL, .tip_known = true};
}

static void draw_alpha(void)
{
    for (int j = 0; j < NAIL; j++)
        for (int i = 0; i < NAIL; i++) {
            float off = hypotf((float)i + 0.5f - NAIL / 2, (float)j + 0.5f - NAIL / 2);
            alpha[j * NAIL + i] = off < NAIL / 2 - 1 ? 255 : 0;
        }
}

enum { POINTS = 15 };

// The painted nail's green, by nail coordinates.
static void read_nail(const struct lq_image *image, const struct lq_nail *nail,
                      float green[POINTS * POINTS])
{
    for (int j = 0; j < POINTS; j++)
        for (int i = 0; i < POINTS; i++) {
            float u = 0.45f * NAIL * (float)(2 * j + 1 - POINTS) / POINTS * 0.8f;
            float w = 0.45f * NAIL * (float)(2 * i + 1 - POINTS) / POINTS * 0.8f;
            int x = (int)(nail->center_x + u * nail->axis_x - w * nail->axis_y);
            int y = (int)(nail->center_y + u * nail->axis_y + w * nail->axis_x);
            green[j * POINTS + i] = lq_image_row(image, y)[3 * x + 1];
        }
}

static float alike(const float *a, const float *b)
{
    float mean_a = 0.0f, mean_b = 0.0f, ab = 0.0f, aa = 1e-6f, bb = 1e-6f;
    for (int i = 0; i < POINTS * POINTS; i++) {
        mean_a += a[i] / (POINTS * POINTS);
        mean_b += b[i] / (POINTS * POINTS);
    }
    for (int i = 0; i < POINTS * POINTS; i++) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return ab / sqrtf(aa * bb);
}

// The similarity of two painted nails in nail coordinates; 1: the same stripes.
static float alike_of(void *painter, enum lq_finish finish, struct lq_nail one, struct lq_nail two)
{
    static const uint8_t bed[3] = {214, 160, 148};
    float green[2][POINTS * POINTS];
    struct lq_nails nails = {.count = 2, .items = {one, two}};
    struct lq_image image = room();
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, finish);
    lq_look_set_color(&look, (const uint8_t[]){60, 62, 66});
    for (int k = 0; k < 2; k++) {
        const struct lq_pixel_box *crop = &nails.items[k].crop;
        for (int j = 0; j < NAIL; j++)
            for (int i = 0; i < NAIL; i++)
                memcpy(lq_image_row(&image, crop->y + j) + 3 * (crop->x + i), bed, 3);
    }
    assert_ok(lq_paint(painter, &image, &nails, &look, NULL));
    for (int k = 0; k < 2; k++)
        read_nail(&image, &nails.items[k], green[k]);
    return alike(green[0], green[1]);
}

static void no_two_nails_mirror_the_same(void **state)
{
    struct lq_nail left = round_nail(45, 70, 0), right = round_nail(150, 70, 0);
    struct lq_nail turned = round_nail(150, 70, 1.2f);
    float places = alike_of(*state, LQ_FINISH_CHROME, left, right);
    float turns = alike_of(*state, LQ_FINISH_CHROME, left, turned);
    float gloss = alike_of(*state, LQ_FINISH_GLOSS, left, right);
    float turned_gloss = alike_of(*state, LQ_FINISH_GLOSS, left, turned);
    print_message("chrome: places %.2f, turned %.2f; gloss: %.2f, %.2f\n", (double)places,
                  (double)turns, (double)gloss, (double)turned_gloss);
    assert_true(places < 0.6f && turns < 0.6f);
    assert_true(gloss < 0.9f && turned_gloss < 0.9f);
}

// A nail has one highlight, not two bars side by side.
static void gloss_has_one_highlight(void **state)
{
    float green[POINTS * POINTS];
    struct lq_nails nails = {.count = 1, .items = {round_nail(96, 70, 0)}};
    fill(0, W, (const uint8_t[]){200, 150, 138});
    struct lq_image image = picture();
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, LQ_FINISH_GLOSS);
    lq_look_set_color(&look, (const uint8_t[]){0, 0, 0});
    assert_ok(lq_paint(*state, &image, &nails, &look, NULL));
    read_nail(&image, &nails.items[0], green);
    int rises = 0;
    const float *row = green + (POINTS * 2 / 3) * POINTS;
    for (int i = 0; i < POINTS; i++)
        rises += (i == 0 || row[i] > row[i - 1] + 6) && row[i] > 60 &&
                 (i == 0 || row[i - 1] <= 60);
    assert_int_equal(rises, 1);
}

static int init(void **state)
{
    struct lq_painter *painter;
    draw_alpha();
    assert_ok(lq_painter_new(&painter));
    *state = painter;
    return 0;
}

static int finish(void **state)
{
    lq_painter_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_survey_measures_brightness_and_grey),
        cmocka_unit_test(small_pictures_are_surveyed),
        cmocka_unit_test(places_beyond_the_picture_are_mirrored),
        cmocka_unit_test(no_two_nails_mirror_the_same),
        cmocka_unit_test(gloss_has_one_highlight),
    };
    return cmocka_run_group_tests(tests, init, finish);
}
