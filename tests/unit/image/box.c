#include "image/box.h"

#include <stdlib.h>

#include "base/attr.h"

#include "unit/unit.h"

static void equals_the_reference_on_odd_sizes(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {1, 9, 2}, {13, 1, 3}, {7, 5, 9}, {33, 17, 4},
                                   {64, 31, 1}, {101, 67, 12}};
    static const int lanes_of[] = {1, 2, 4};
    uint32_t seed = 7;
    for (size_t s = 0; s < LQ_COUNT(sizes); s++)
        for (size_t l = 0; l < LQ_COUNT(lanes_of); l++) {
            int width = sizes[s][0], height = sizes[s][1], radius = sizes[s][2];
            int lanes = lanes_of[l];
            size_t n = (size_t)(width * height * lanes);
            float *in = malloc((n + 1) * sizeof(float)), *out = malloc(n * sizeof(float));
            float *expected = malloc(n * sizeof(float));
            float *scratch = malloc((size_t)lq_box_scratch(width, lanes) * sizeof(float));
            for (size_t i = 0; i < n; i++)
                in[i + 1] = (float)(unit_random(&seed) % 1000) / 1000.0f;
            const struct lq_plane plane = {in + 1, width, height, lanes}; // unaligned start
            lq_box_mean(&plane, out, radius, scratch);
            lq_box_mean_reference(&plane, expected, radius);
            for (size_t i = 0; i < n; i++)
                assert_float_equal(out[i], expected[i], 1e-5f);
            free(in);
            free(out);
            free(expected);
            free(scratch);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_reference_on_odd_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
