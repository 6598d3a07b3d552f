#include "nail/nail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

enum { PIXELS_MAX = 640 * 480 };

static uint8_t pixels[PIXELS_MAX * 3];
static float grid[PIXELS_MAX];
static uint8_t truth[PIXELS_MAX];

struct ellipse {
    float x, y, half_long, half_broad, angle;
};

// The share of the square of side `side` around (x, y) that the ellipse covers, by 8 x 8 points.
static float coverage(const struct ellipse *e, float x, float y, float side)
{
    int inside = 0;
    for (int j = 0; j < 8; j++)
        for (int i = 0; i < 8; i++) {
            float px = x + (((float)i + 0.5f) / 8.0f - 0.5f) * side - e->x;
            float py = y + (((float)j + 0.5f) / 8.0f - 0.5f) * side - e->y;
            float u = (px * cosf(e->angle) + py * sinf(e->angle)) / e->half_long;
            float w = (py * cosf(e->angle) - px * sinf(e->angle)) / e->half_broad;
            inside += u * u + w * w <= 1.0f;
        }
    return (float)inside / 64.0f;
}

static struct lq_image plain_picture(int width, int height, uint8_t grey)
{
    memset(pixels, grey, (size_t)width * (size_t)height * 3);
    return (struct lq_image){pixels, width, height, 3, 8, (size_t)width * 3};
}

// A skin-like picture with a paler, pinker nail, soft noise over all.
static void draw(struct lq_image *picture, const struct ellipse *e)
{
    uint32_t seed = 5;
    for (int y = 0; y < picture->height; y++)
        for (int x = 0; x < picture->width; x++) {
            float c = coverage(e, (float)x + 0.5f, (float)y + 0.5f, 1.0f);
            uint8_t *p = lq_image_row(picture, y) + x * 3;
            float noise = (float)(unit_random(&seed) % 9) - 4.0f;
            p[0] = (uint8_t)(190.0f + 40.0f * c + noise);
            p[1] = (uint8_t)(130.0f + 55.0f * c + noise);
            p[2] = (uint8_t)(105.0f + 70.0f * c + noise);
            truth[y * picture->width + x] = c >= 0.5f;
        }
}

// Adds the ellipse to a grid with `cell` pixels to a point; returns the patch.
static struct lq_patch sketch(const struct lq_image *picture, const struct ellipse *ellipses,
                              int count, int cell)
{
    int width = (picture->width + cell - 1) / cell, height = (picture->height + cell - 1) / cell;
    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++) {
            float most = 0.0f;
            for (int k = 0; k < count; k++)
                most = fmaxf(most, coverage(&ellipses[k], ((float)i + 0.5f) * (float)cell,
                                            ((float)j + 0.5f) * (float)cell, (float)cell));
            grid[j * width + i] = most;
        }
    float half = (float)cell / 2.0f;
    return (struct lq_patch){1.0f, false, 0.5f, width, height, width, grid, half, half,
                             (float)cell, (float)cell,
                             {0, 0, (float)picture->width, (float)picture->height}};
}

static const struct lq_nails *find(struct lq_nail_finder *finder, const struct lq_image *picture,
                                   const struct lq_patch *patches, int count)
{
    const struct lq_nails *nails;
    assert_ok(lq_nail_find(finder, picture, patches, count, &nails, NULL));
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        assert_int_equal(nail->id, i + 1);
        const struct lq_pixel_box *crop = &nail->crop;
        assert_true(crop->x >= 0 && crop->y >= 0 && crop->width > 0 && crop->height > 0);
        assert_true(crop->x + crop->width <= picture->width);
        assert_true(crop->y + crop->height <= picture->height);
        assert_true(nail->alpha_stride >= (size_t)crop->width);
        assert_true(isfinite(nail->length) && isfinite(nail->width) && nail->length > 0.0f);
        assert_true(i == 0 || nails->items[i - 1].center_x <= nail->center_x);
    }
    return nails;
}

static float iou_with_truth(const struct lq_nail *nail, const struct lq_image *picture)
{
    int both = 0, either = 0;
    for (int y = 0; y < picture->height; y++)
        for (int x = 0; x < picture->width; x++) {
            int i = x - nail->crop.x, j = y - nail->crop.y;
            bool found = i >= 0 && j >= 0 && i < nail->crop.width && j < nail->crop.height &&
                         nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i] >= 128;
            bool real = truth[y * picture->width + x];
            both += found && real;
            either += found || real;
        }
    return (float)both / (float)either;
}

// From a quarter-size grid, a rotated ellipse's outline, frame and soft edge are recovered.
static void ellipses_are_recovered(void **state)
{
    for (int step = 0; step < 8; step++) {
        struct ellipse e = {100.3f, 90.7f, 34.0f, 21.0f, (float)step * 0.39f};
        struct lq_image picture = plain_picture(203, 181, 0);
        draw(&picture, &e);
        struct lq_patch patch = sketch(&picture, &e, 1, 4);
        const struct lq_nails *nails = find(*state, &picture, &patch, 1);
        assert_int_equal(nails->count, 1);
        const struct lq_nail *nail = &nails->items[0];
        assert_true(iou_with_truth(nail, &picture) >= 0.97f);
        assert_float_equal(nail->center_x, e.x, 0.5f);
        assert_float_equal(nail->center_y, e.y, 0.5f);
        assert_float_equal(nail->length, 68.0f, 1.0f);
        assert_float_equal(nail->width, 42.0f, 1.0f);
        float along = nail->axis_x * cosf(e.angle) + nail->axis_y * sinf(e.angle);
        assert_true(fabsf(along) > 0.998f);
        // Soft only at the outline: about one partly covered pixel per pixel of circumference.
        int soft = 0;
        for (int j = 0; j < nail->crop.height; j++)
            for (int i = 0; i < nail->crop.width; i++) {
                uint8_t a = nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i];
                soft += a > 8 && a < 247;
            }
        assert_in_range(soft, 90, 350); // circumference about 175 pixels
    }
}

// On a picture without edges the outline is the grid's, but smooth, without steps of the grid.
static void no_stairs_without_edges(void **state)
{
    struct ellipse e = {60.0f, 60.0f, 30.0f, 22.0f, 0.5f};
    struct lq_image picture = plain_picture(120, 120, 128);
    for (int i = 0; i < 120 * 120; i++)
        truth[i] = coverage(&e, (float)(i % 120) + 0.5f, (float)(i / 120) + 0.5f, 1.0f) >= 0.5f;
    struct lq_patch patch = sketch(&picture, &e, 1, 4);
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, 1);
    assert_true(iou_with_truth(&nails->items[0], &picture) >= 0.95f);
}

static void borders_and_specks(void **state)
{
    struct lq_image picture = plain_picture(320, 240, 140);
    struct ellipse shapes[] = {
        {0.0f, 60.0f, 24.0f, 16.0f, 0.0f},      // half out on the left
        {160.0f, 239.0f, 24.0f, 16.0f, 1.57f},  // half out below
        {240.0f, 100.0f, 24.0f, 16.0f, 0.8f},
        {100.0f, 120.0f, 3.5f, 3.0f, 0.0f},     // a speck
        {200.0f, 20.0f, 95.0f, 5.0f, 0.0f},     // far too long
    };
    struct lq_patch patch = sketch(&picture, shapes, 5, 2);
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, 3);
    assert_int_equal(nails->items[0].crop.x, 0);
    assert_int_equal(nails->items[1].crop.y + nails->items[1].crop.height, 240);
    assert_float_equal(nails->items[2].center_x, 240.0f, 1.0f);
}

static void huge_areas_are_no_nails(void **state)
{
    struct lq_image picture = plain_picture(200, 200, 140);
    struct ellipse e = {100.0f, 100.0f, 96.0f, 92.0f, 0.0f};
    struct lq_patch patch = sketch(&picture, &e, 1, 4);
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 0);
}

// A faint blob is not a nail; a small one needs more confidence than its large neighbours.
static void uncertain_ones_are_dropped(void **state)
{
    struct lq_image picture = plain_picture(320, 240, 140);
    struct ellipse shapes[] = {{60.0f, 60.0f, 24.0f, 16.0f, 0.0f},
                               {160.0f, 60.0f, 24.0f, 16.0f, 0.5f},
                               {260.0f, 60.0f, 9.0f, 6.0f, 0.0f},
                               {60.0f, 180.0f, 24.0f, 16.0f, 1.0f},
                               {160.0f, 180.0f, 9.0f, 6.0f, 0.0f}};
    struct lq_patch patch = sketch(&picture, shapes, 5, 2);
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 5);
    for (int j = 60; j < patch.height; j++) // the lower two: peaks at 0.62 and 0.75
        for (int i = 0; i < patch.width; i++)
            grid[j * patch.width + i] *= i < 55 ? 0.62f : 0.75f;
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, 3);
    for (int i = 0; i < 3; i++)
        assert_true(nails->items[i].center_y < 120.0f);
}

// A close-up of one nail that fills two fifths of the picture.
static void a_close_up_is_a_nail(void **state)
{
    struct lq_image picture = plain_picture(320, 240, 150);
    const struct ellipse nail = {160, 120, 120, 82, 0.2f};
    draw(&picture, &nail);
    struct lq_patch patch = sketch(&picture, &nail, 1, 4);
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, 1);
    assert_in_range(nails->items[0].area, 30000, 32000);
}

static void keeps_the_best_of_too_many(void **state)
{
    struct lq_image picture = plain_picture(640, 480, 140);
    struct ellipse shapes[48];
    for (int k = 0; k < 48; k++)
        shapes[k] = (struct ellipse){40.0f + 80.0f * (float)(k % 8), 40.0f + 80.0f * (float)(k / 8),
                                     k < 16 ? 16.0f : 22.0f, 14.0f, 0.3f * (float)k};
    struct lq_patch patch = sketch(&picture, shapes, 48, 4);
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, LQ_NAILS_MAX);
    for (int i = 0; i < nails->count; i++)
        assert_true(nails->items[i].center_y > 160.0f); // the 16 smaller ones were dropped
}

static void single_patches_give_one_nail_each(void **state)
{
    struct lq_image picture = plain_picture(160, 120, 140);
    struct ellipse shapes[] = {{40.0f, 60.0f, 20.0f, 14.0f, 1.0f},
                               {120.0f, 60.0f, 20.0f, 14.0f, 2.0f},
                               {80.0f, 20.0f, 6.0f, 5.0f, 0.0f}};
    struct lq_patch first = sketch(&picture, shapes, 3, 2), second;
    first.single = true;
    first.confidence = 0.7f;
    second = first;
    first.box = (struct lq_float_box){0, 0, 90, 120};
    second.box = (struct lq_float_box){90, 0, 70, 120};
    second.confidence = 0.9f;
    struct lq_patch both[2] = {second, first};
    const struct lq_nails *nails = find(*state, &picture, both, 2);
    assert_int_equal(nails->count, 2);
    assert_float_equal(nails->items[0].center_x, 40.0f, 1.0f);
    assert_float_equal(nails->items[0].confidence, 0.7f, 1e-6f);
    assert_float_equal(nails->items[1].center_x, 120.0f, 1.0f);
    assert_float_equal(nails->items[1].confidence, 0.9f, 1e-6f);
}

// A nail-like shape alone on grey, without a finger beside it, is a key.
static void a_nail_has_skin_beside_it(void **state)
{
    struct ellipse e = {60.0f, 60.0f, 15.0f, 12.0f, 0.5f};
    struct lq_image picture = plain_picture(120, 120, 128);
    struct lq_patch patch = sketch(&picture, &e, 1, 4);
    for (int i = 0; i < 30 * 30; i++)
        grid[i] *= 0.92f;
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 0);
    draw(&picture, &e);
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 1);
}

static void grids_may_leave_the_picture(void **state)
{
    struct lq_image picture = plain_picture(100, 80, 140);
    for (int k = 0; k < 2000; k++)
        grid[k] = 0.97f; // confident enough to need no skin beside it
    struct lq_patch patch = {1.0f, false, 0.5f, 6, 6, 6, grid, -12.0f, -9.0f, 4.0f, 4.0f,
                             {-50.0f, -50.0f, 400.0f, 400.0f}};
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    assert_int_equal(nails->count, 1); // the corner that is inside
    patch.x0 = patch.y0 = 1000.0f;
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 0);
    patch.x0 = -1000.0f;
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 0);
    patch.x0 = 90.0f;
    patch.y0 = 70.0f;
    patch.dx = patch.dy = 1e-4f;
    (void)find(*state, &picture, &patch, 1);
    patch.dx = patch.dy = 1e6f;
    (void)find(*state, &picture, &patch, 1);
}

static void numbers_that_are_none(void **state)
{
    struct ellipse e = {60.0f, 60.0f, 30.0f, 22.0f, 0.5f};
    struct lq_image picture = plain_picture(120, 120, 128);
    struct lq_patch patch = sketch(&picture, &e, 1, 4);
    for (int i = 0; i < 30 * 30; i += 7)
        grid[i] = i % 2 ? NAN : -INFINITY;
    grid[1] = INFINITY;
    (void)find(*state, &picture, &patch, 1);
    for (int i = 0; i < 30 * 30; i++)
        grid[i] = NAN;
    assert_int_equal(find(*state, &picture, &patch, 1)->count, 0);
    patch.dx = NAN;
    const struct lq_nails *nails;
    struct lq_error err;
    assert_int_equal(lq_nail_find(*state, &picture, &patch, 1, &nails, &err), LQ_ERR_ARGUMENT);
    assert_string_equal(err.text, "cannot place patch 0: its scale is not positive");
    assert_int_equal(nails->count, 0);
}

static void tiny_pictures(void **state)
{
    for (int size = 1; size < 6; size++) {
        struct lq_image picture = plain_picture(size, size, 90);
        for (int i = 0; i < 64; i++)
            grid[i] = 1.0f;
        struct lq_patch patch = {1.0f, false, 0.5f, 8, 8, 8, grid, 0.0f, 0.0f, 0.15f, 0.15f,
                                 {0, 0, (float)size, (float)size}};
        (void)find(*state, &picture, &patch, 1);
        (void)find(*state, &picture, &patch, 0);
    }
}

// Depth 16 and a fourth channel do not change the result.
static void deep_pictures_agree(void **state)
{
    struct ellipse e = {60.0f, 60.0f, 30.0f, 22.0f, 0.5f};
    struct lq_image picture = plain_picture(120, 120, 0);
    draw(&picture, &e);
    struct lq_patch patch = sketch(&picture, &e, 1, 4);
    const struct lq_nails *nails = find(*state, &picture, &patch, 1);
    struct lq_nail first = nails->items[0];
    uint8_t *alpha = malloc(first.alpha_stride * (size_t)first.crop.height);
    memcpy(alpha, first.alpha, first.alpha_stride * (size_t)first.crop.height);
    uint16_t *deep = malloc(120 * 120 * 4 * sizeof(uint16_t));
    for (int i = 0; i < 120 * 120; i++)
        for (int k = 0; k < 4; k++)
            deep[i * 4 + k] = (uint16_t)((k < 3 ? pixels[i * 3 + k] : 77) * 257);
    struct lq_image other = {(uint8_t *)deep, 120, 120, 4, 16, 120 * 8};
    nails = find(*state, &other, &patch, 1);
    assert_int_equal(nails->count, 1);
    for (int j = 0; j < first.crop.height; j++)
        for (int i = 0; i < first.crop.width; i++) {
            size_t at = (size_t)j * first.alpha_stride + (size_t)i;
            assert_in_range(nails->items[0].alpha[at] + 3 - alpha[at], 0, 6);
        }
    free(deep);
    free(alpha);
}

static int setup(void **state)
{
    return lq_nail_finder_new((struct lq_nail_finder **)state);
}

static int teardown(void **state)
{
    lq_nail_finder_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ellipses_are_recovered),
        cmocka_unit_test(no_stairs_without_edges),
        cmocka_unit_test(borders_and_specks),
        cmocka_unit_test(huge_areas_are_no_nails),
        cmocka_unit_test(uncertain_ones_are_dropped),
        cmocka_unit_test(a_close_up_is_a_nail),
        cmocka_unit_test(keeps_the_best_of_too_many),
        cmocka_unit_test(single_patches_give_one_nail_each),
        cmocka_unit_test(grids_may_leave_the_picture),
        cmocka_unit_test(a_nail_has_skin_beside_it),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(tiny_pictures),
        cmocka_unit_test(deep_pictures_agree),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
