#include "nail/upsample.h"

#include <math.h>

#include "unit/unit.h"

static void taps_sum_to_one_and_stay_inside(void **state)
{
    (void)state;
    for (float p = -1e6f; p < 1e6f; p = p < -9.0f ? p / 4.0f : p < 20.0f ? p + 0.13f : p * 3.0f) {
        struct lq_taps taps = lq_taps_at(p, 7);
        float sum = 0.0f;
        for (int k = 0; k < 4; k++) {
            assert_in_range(taps.index[k], 0, 6);
            sum += taps.weight[k];
        }
        assert_float_equal(sum, 1.0f, 1e-5f);
    }
}

// Keys' kernel reproduces any parabola exactly (away from the ends).
static void parabolas_are_reproduced(void **state)
{
    (void)state;
    float row[20], out[33], rows[20 * 3], columns[3];
    for (int i = 0; i < 20; i++) {
        row[i] = 0.3f + 0.2f * (float)i - 0.05f * (float)(i * i);
        for (int k = 0; k < 3; k++)
            rows[i * 3 + k] = row[i] * (float)(k + 1);
    }
    lq_upsample_rows(row, 20, 1, &(struct lq_places){2.0f, 0.37f, 33}, out);
    for (int i = 0; i < 33; i++) {
        float p = 2.0f + 0.37f * (float)i;
        float expected = 0.3f + 0.2f * p - 0.05f * p * p;
        assert_float_equal(out[i], expected, 1e-4f);
        lq_upsample_column(rows, 20, p, columns, 3);
        for (int k = 0; k < 3; k++)
            assert_float_equal(columns[k], expected * (float)(k + 1), 3e-4f);
    }
}

// Rows wider than one block of the code, and several of them.
static void every_row_is_the_same_cubic(void **state)
{
    (void)state;
    static float grid[3 * 20], out[3 * 150];
    for (int i = 0; i < 3 * 20; i++)
        grid[i] = (float)(i * 37 % 11) * 0.1f;
    lq_upsample_rows(grid, 20, 3, &(struct lq_places){-1.5f, 0.15f, 150}, out);
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 150; i++) {
            struct lq_taps taps = lq_taps_at(-1.5f + (float)i * 0.15f, 20);
            float expected = 0.0f;
            for (int k = 0; k < 4; k++)
                expected += grid[j * 20 + taps.index[k]] * taps.weight[k];
            assert_float_equal(out[j * 150 + i], expected, 1e-6f);
        }
}

static void lines_stretch(void **state)
{
    (void)state;
    float pairs[10] = {0, 9, 1, 8, 2, 7, 3, 6, 4, 5}, out[9];
    lq_stretch_row(pairs + 1, 5, 2, &(struct lq_places){-1.0f, 0.75f, 9}, out);
    for (int i = 0; i < 9; i++) {
        float p = fminf(fmaxf(-1.0f + 0.75f * (float)i, 0.0f), 4.0f);
        assert_float_equal(out[i], 9.0f - p, 1e-6f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taps_sum_to_one_and_stay_inside),
        cmocka_unit_test(parabolas_are_reproduced),
        cmocka_unit_test(every_row_is_the_same_cubic),
        cmocka_unit_test(lines_stretch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
