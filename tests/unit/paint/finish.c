#include "paint/finish.h"

#include <math.h>

#include "unit/unit.h"

enum { N = 67, PLANES = 8 };

static float scratch[LQ_FINISH_ROWS * N];

static struct lq_coat coat_of(enum lq_finish finish, const char *color)
{
    struct lq_look look = lq_look_default();
    assert_ok(lq_look_parse_color(&look, color, NULL));
    lq_look_set_finish(&look, finish);
    look.polish.ombre = (struct lq_ombre){true, {255, 240, 0}, 0.1f, 0.7f};
    look.polish.french = (struct lq_french){true, {250, 250, 250}, 0.2f, 0.5f, LQ_FRENCH_SMILE};
    struct lq_coat coat = {.light = {0.9f, 0.92f, 0.88f}, .bed = {0.5f, 0.3f, 0.25f}, .kept = 1.0f,
                           .added = 1.0f, .sun_u = 0.1f, .sun_w = -0.3f, .axis_y = -1.0f,
                           .stretch = 1.2f,
                           .aspect = 1.4f, .pixel = 0.06f, .cuticle = 1.0f, .whole_u = 1.0f};
    lq_coat_mix(&coat, &look.polish, 30.0f);
    return coat;
}

// Wide vectors and their remainders must agree with the same arithmetic one pixel at a time. Flakes
// have edges: there a rounding moves a pixel to the next cell, so a few may differ.
static void rows_equal_single_pixels(void **state)
{
    (void)state;
    static float planes[PLANES][N + 1], whole[3][N], single[3][N];
    uint32_t seed = 21;
    int differ = 0, all = 0;
    for (int finish = 0; finish < LQ_FINISH_COUNT; finish++)
        for (int count = 1; count <= N; count += 11) {
            for (int p = 0; p < PLANES; p++)
                for (int i = 0; i <= N; i++)
                    planes[p][i] = (float)(unit_random(&seed) % 1000) / 900.0f;
            struct lq_coat coat = coat_of((enum lq_finish)finish, "#c71585");
            struct lq_coat_row row = {planes[0] + 1, planes[1] + 1, planes[2] + 1, planes[3] + 1,
                                      planes[4] + 1, planes[5] + 1, planes[6] + 1, planes[7] + 1,
                                      {-0.7f, 0.9f, 0.02f, -0.03f, count}};
            lq_finish_row(&coat, &row, scratch, whole[0], whole[1], whole[2]);
            for (int i = 0; i < count; i++) {
                struct lq_coat_row pixel = {
                    row.red + i, row.green + i, row.blue + i, row.cover + i, row.slow + i,
                    row.detail + i, row.shine + i, row.rim + i,
                    {row.place.u + row.place.du * (float)i, row.place.w + row.place.dw * (float)i,
                     row.place.du, row.place.dw, 1}};
                lq_finish_row(&coat, &pixel, scratch, single[0] + i, single[1] + i, single[2] + i);
                for (int k = 0; k < 3; k++) {
                    assert_true(isfinite(whole[k][i]));
                    differ += fabsf(whole[k][i] - single[k][i]) > 5e-5f;
                    all++;
                }
            }
        }
    assert_true(differ * 500 < all);
}

// Uncovered pixels keep the photo; gloss reflects more than creme, matte less.
static void cover_and_gloss(void **state)
{
    (void)state;
    float one[N], zero[N] = {0}, out[3][N];
    for (int i = 0; i < N; i++)
        one[i] = 1.0f;
    float brightest[LQ_FINISH_COUNT] = {0};
    for (int f = 0; f < LQ_FINISH_COUNT; f++) {
        struct lq_coat coat = coat_of((enum lq_finish)f, "#202020");
        coat.ombre.on = coat.french.on = false;
        struct lq_coat_row row = {one, one, one, zero, one, one, zero, one,
                                  {0.0f, -1.0f, 0.0f, 2.0f / N, N}};
        lq_finish_row(&coat, &row, scratch, out[0], out[1], out[2]);
        for (int i = 0; i < N; i++)
            assert_float_equal(out[1][i], 1.0f, 1e-6f);
        row.cover = one;
        lq_finish_row(&coat, &row, scratch, out[0], out[1], out[2]);
        for (int i = 0; i < N; i++)
            brightest[f] = fmaxf(brightest[f], out[1][i]);
    }
    assert_true(brightest[LQ_FINISH_GLOSS] > 2.0f * brightest[LQ_FINISH_CREME]);
    assert_true(brightest[LQ_FINISH_CREME] > 1.2f * brightest[LQ_FINISH_MATTE]);
    assert_true(brightest[LQ_FINISH_CHROME] > 2.0f * brightest[LQ_FINISH_CREME]);
}

// No two finishes may look the same.
static void finishes_differ(void **state)
{
    (void)state;
    static float out[LQ_FINISH_COUNT][3][N];
    float one[N], half[N], zero[N] = {0};
    for (int i = 0; i < N; i++)
        one[i] = 1.0f, half[i] = 0.5f;
    for (int f = 0; f < LQ_FINISH_COUNT; f++) {
        struct lq_coat coat = coat_of((enum lq_finish)f, "#8040a0");
        coat.ombre.on = coat.french.on = false;
        struct lq_coat_row row = {half, half, half, one, one, one, zero, one,
                                  {-0.2f, -0.95f, 0.0f, 1.9f / N, N}};
        lq_finish_row(&coat, &row, scratch, out[f][0], out[f][1], out[f][2]);
    }
    for (int f = 0; f < LQ_FINISH_COUNT; f++)
        for (int g = 0; g < f; g++) {
            float sum = 0.0f;
            for (int i = 0; i < N; i++)
                for (int k = 0; k < 3; k++)
                    sum += fabsf(out[f][k][i] - out[g][k][i]);
            if (sum / (3 * N) < 0.004f)
                print_error("%s is %s\n", lq_finish_name((enum lq_finish)f),
                            lq_finish_name((enum lq_finish)g));
            assert_true(sum / (3 * N) >= 0.004f);
        }
}

// The same place on the nail has the same flakes, whatever the step and start of the row.
static void flakes_stay_in_place(void **state)
{
    (void)state;
    float one[N], half[N], zero[N] = {0}, a[3][N], b[3][N];
    for (int i = 0; i < N; i++)
        one[i] = 1.0f, half[i] = 0.5f;
    struct lq_coat coat = coat_of(LQ_FINISH_GLITTER, "#8040a0");
    coat.ombre.on = coat.french.on = false;
    struct lq_coat_row row = {half, half, half, one, one, one, zero, one,
                              {0.3f, -0.5f, 0.0f, 0.01f, 60}};
    lq_finish_row(&coat, &row, scratch, a[0], a[1], a[2]);
    row.place.w = -0.5f + 0.2f;
    row.place.count = 40;
    lq_finish_row(&coat, &row, scratch, b[0], b[1], b[2]);
    int differ = 0;
    for (int i = 0; i < 40; i++)
        differ += fabsf(a[1][i + 20] - b[1][i]) > 1e-3f;
    assert_true(differ <= 2);
}

// Wherever the light is, also far on one side (a thumb seen from its side), a mirror's bright
// windows cover a small part of the nail, and it has dark parts, so that it looks like a mirror.
static void chrome_is_not_filled_with_white(void **state)
{
    (void)state;
    float one[N], zero[N] = {0}, photo[N], out[3][N];
    for (int i = 0; i < N; i++) {
        one[i] = 1.0f;
        photo[i] = 0.4f;
    }
    for (int step = -9; step <= 9; step++) {
        struct lq_coat coat = coat_of(LQ_FINISH_CHROME, "#c8ccd2");
        coat.ombre.on = coat.french.on = false;
        coat.sun_w = 0.075f * (float)step;
        struct lq_coat_row row = {photo, photo, photo, one, one, one, zero, one,
                                  {0.0f, -1.0f, 0.0f, 2.0f / N, N}};
        lq_finish_row(&coat, &row, scratch, out[0], out[1], out[2]);
        int white = 0, dark = 0;
        for (int i = 0; i < N; i++) {
            white += out[1][i] > 0.72f;
            dark += out[1][i] < 0.30f;
        }
        assert_in_range(white, 1, N * 3 / 10);
        assert_true(dark > N / 5);
    }
}

// What satin's shine adds to a nail: the brightest minus the darkest pixel of a row.
static void shine_of(const char *color, float added[3])
{
    float one[N], zero[N] = {0}, out[2][3][N];
    for (int i = 0; i < N; i++)
        one[i] = 1.0f;
    for (int shiny = 0; shiny < 2; shiny++) {
        struct lq_coat coat = coat_of(LQ_FINISH_SATIN, color);
        coat.ombre.on = coat.french.on = false;
        coat.added = (float)shiny;
        struct lq_coat_row row = {zero, zero, zero, one, one, one, zero, one,
                                  {0.3f, -1.0f, 0.0f, 2.0f / N, N}};
        lq_finish_row(&coat, &row, scratch, out[shiny][0], out[shiny][1], out[shiny][2]);
    }
    for (int k = 0; k < 3; k++) {
        added[k] = 0.0f;
        for (int i = 0; i < N; i++)
            added[k] = fmaxf(added[k], out[1][k][i] - out[0][k][i]);
    }
}

// Grey haze on dark polish looks like dust, so it is halved and has the polish's own colour.
static void satin_has_no_grey_haze(void **state)
{
    (void)state;
    float pale[3], black[3], oxblood[3];
    shine_of("#b0b0b0", pale);
    shine_of("#000000", black);
    shine_of("#5a1118", oxblood);
    assert_true(black[1] < 0.6f * pale[1] && black[1] > 0.02f);
    assert_true(oxblood[0] > 1.4f * oxblood[1] && oxblood[0] > 1.4f * oxblood[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_equal_single_pixels),
        cmocka_unit_test(cover_and_gloss),
        cmocka_unit_test(chrome_is_not_filled_with_white),
        cmocka_unit_test(finishes_differ),
        cmocka_unit_test(satin_has_no_grey_haze),
        cmocka_unit_test(flakes_stay_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
