#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lib/context.h"

static void paints_a_file(void **state)
{
    (void)state;
    struct lacquer_look look = lacquer_look_default();
    const uint8_t *out;
    size_t out_len;
    const struct lacquer_nail *nails;
    int count;
    assert_ok(lacquer_file(context, file, file_len, &look, 90, &out, &out_len, &nails, &count));
    assert_true(out_len > 1000 && out[0] == 0xff && out[1] == 0xd8);
    assert_true(count >= 3);
    for (int i = 0; i < count; i++) {
        assert_float_equal(hypotf(nails[i].axis_x, nails[i].axis_y), 1, 1e-3);
        assert_non_null(nails[i].alpha);
    }
}

static void refuses_what_is_wrong_and_goes_on(void **state)
{
    (void)state;
    struct lacquer_look look = lacquer_look_default();
    const uint8_t *out;
    size_t out_len;
    uint8_t pixels[3 * 8 * 8] = {0};
    assert_int_equal(lacquer_file(context, "nonsense", 8, &look, 90, &out, &out_len, NULL, NULL),
                     LACQUER_ERR_PICTURE);
    assert_non_null(strstr(lacquer_error(context), "JPEG"));
    assert_int_equal(lacquer_file(context, file, file_len, &look, 0, &out, &out_len, NULL, NULL),
                     LACQUER_ERR_ARGUMENT);
    assert_int_equal(lacquer_frame(context, pixels, 8, 8, 2, 24, &look, NULL, NULL),
                     LACQUER_ERR_ARGUMENT);
    assert_int_equal(lacquer_frame(context, pixels, 8, 8, 3, 23, &look, NULL, NULL),
                     LACQUER_ERR_ARGUMENT);
    look.opacity = NAN;
    assert_int_equal(lacquer_frame(context, pixels, 8, 8, 3, 24, &look, NULL, NULL),
                     LACQUER_ERR_ARGUMENT);
    look = lacquer_look_default();
    look.finish = (enum lacquer_finish)99;
    assert_int_equal(lacquer_frame(context, pixels, 8, 8, 3, 24, &look, NULL, NULL),
                     LACQUER_ERR_ARGUMENT);
    look = lacquer_look_default();
    assert_ok(lacquer_frame(context, pixels, 8, 8, 3, 24, &look, NULL, NULL));
}

static void a_missing_model_is_named(void **state)
{
    (void)state;
    char error[256];
    struct lacquer *none;
    struct lacquer_options options = {.model = "/no/such/model.onnx"};
    assert_int_equal(lacquer_open(&none, &options, error, sizeof error), LACQUER_ERR_MODEL);
    assert_null(none);
    assert_non_null(strstr(error, "/no/such/model.onnx"));
}

static void *paint_many(void *own)
{
    struct lacquer_look look = lacquer_look_default();
    const uint8_t *out;
    size_t out_len, *length = malloc(sizeof *length);
    *length = 0;
    for (int i = 0; i < 5; i++)
        if (lacquer_file(own, file, file_len, &look, 90, &out, &out_len, NULL, NULL) ==
            LACQUER_OK)
            *length += out_len;
    return length;
}

static void two_threads_share_a_model(void **state)
{
    (void)state;
    struct lacquer *second;
    assert_ok(lacquer_share(&second, context));
    pthread_t threads[2];
    void *lengths[2];
    pthread_create(&threads[0], NULL, paint_many, context);
    pthread_create(&threads[1], NULL, paint_many, second);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], &lengths[i]);
    assert_true(*(size_t *)lengths[0] > 10000);
    assert_int_equal(*(size_t *)lengths[0], *(size_t *)lengths[1]); // the same bytes each time
    free(lengths[0]);
    free(lengths[1]);
    lacquer_close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paints_a_file),
        cmocka_unit_test(refuses_what_is_wrong_and_goes_on),
        cmocka_unit_test(a_missing_model_is_named),
        cmocka_unit_test(two_threads_share_a_model),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
