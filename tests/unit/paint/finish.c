#include "paint/finish.h"

#include <math.h>

#include "unit/unit.h"

enum { N = 67, ROWS = 8 };

// Wide vectors and their remainders must agree with the same arithmetic one pixel at a time.
static void rows_equal_single_pixels(void **state)
{
    (void)state;
    static float planes[ROWS][N + 1], whole[3][N], single[3][N];
    uint32_t seed = 21;
    for (int finish = 0; finish < LQ_FINISH_COUNT; finish++)
        for (int count = 1; count <= N; count += 11) {
            for (int p = 0; p < ROWS; p++)
                for (int i = 0; i <= N; i++)
                    planes[p][i] = (float)(unit_random(&seed) % 1000) / 900.0f;
            struct lq_coat coat = {{0.6f, 0.1f, 0.2f}, {0.9f, 0.92f, 0.88f}, 0.9f, 0.5f, 1.0f,
                                   1.0f, 0.1f, -0.3f, 1.2f};
            struct lq_coat_row row = {planes[0] + 1, planes[1] + 1, planes[2] + 1, planes[3] + 1,
                                      planes[4] + 1, planes[5] + 1, planes[6] + 1, planes[7] + 1,
                                      -0.7f, 0.9f, 0.02f, -0.03f, count};
            lq_finish_row((enum lq_finish)finish, &coat, &row, whole[0], whole[1], whole[2]);
            for (int i = 0; i < count; i++) {
                struct lq_coat_row pixel = {
                    row.red + i, row.green + i, row.blue + i, row.cover + i, row.slow + i,
                    row.detail + i, row.shine + i, row.rim + i, row.u + row.du * (float)i,
                    row.w + row.dw * (float)i, row.du, row.dw, 1};
                lq_finish_row((enum lq_finish)finish, &coat, &pixel, single[0] + i, single[1] + i,
                              single[2] + i);
                for (int k = 0; k < 3; k++) {
                    assert_true(isfinite(whole[k][i]));
                    assert_float_equal(whole[k][i], single[k][i], 2e-5f);
                }
            }
        }
}

// Where nothing is covered the photo comes back; gloss reflects more than creme.
static void cover_and_gloss(void **state)
{
    (void)state;
    float one[N], zero[N] = {0}, out[LQ_FINISH_COUNT][3][N];
    for (int i = 0; i < N; i++)
        one[i] = 1.0f;
    struct lq_coat coat = {{0.02f, 0.02f, 0.02f}, {1.0f, 1.0f, 1.0f}, 1.0f, 0.5f, 1.0f, 1.0f, 0.0f,
                           -0.3f, 1.0f};
    struct lq_coat_row row = {one, one, one, zero, one, one, zero, one,
                              0.0f, -1.0f, 0.0f, 2.0f / N, N};
    lq_finish_row(LQ_FINISH_CREME, &coat, &row, out[0][0], out[0][1], out[0][2]);
    for (int i = 0; i < N; i++)
        assert_float_equal(out[0][1][i], 1.0f, 1e-6f);
    row.cover = one;
    float brightest[LQ_FINISH_COUNT] = {0};
    for (int f = 0; f < LQ_FINISH_COUNT; f++) {
        lq_finish_row((enum lq_finish)f, &coat, &row, out[f][0], out[f][1], out[f][2]);
        for (int i = 0; i < N; i++)
            brightest[f] = fmaxf(brightest[f], out[f][1][i]);
    }
    assert_true(brightest[LQ_FINISH_GLOSS] > 2.0f * brightest[LQ_FINISH_CREME]);
    assert_true(brightest[LQ_FINISH_CREME] > 0.03f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_equal_single_pixels),
        cmocka_unit_test(cover_and_gloss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
