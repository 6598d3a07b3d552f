#include "base/error.h"

#include <string.h>

#include "unit/unit.h"

static void every_status_has_its_row(void **state)
{
    (void)state;
    assert_int_equal(lq_status_http(LQ_OK), 200);
    assert_int_equal(lq_status_http(LQ_ERR_TOO_LARGE), 413);
    assert_int_equal(lq_status_http(LQ_ERR_FORMAT), 415);
    assert_int_equal(lq_status_http(LQ_ERR_FIELD), 422);
    assert_int_equal(lq_status_ws_close(LQ_ERR_TOO_LARGE), 1009);
    assert_string_equal(lq_status_name(LQ_ERR_CORRUPT), "CORRUPT");
    // A number that is no status must still give a row.
    assert_int_equal(lq_status_http(-9999), 500);
    assert_int_equal(lq_status_http(12), 500);
}

static void a_message_is_one_line_that_fits(void **state)
{
    (void)state;
    struct lq_error err;
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(lq_fail(&err, LQ_ERR_FIELD, "colour 'a\nb\r\x1b[0m' %s", longer),
                     LQ_ERR_FIELD);
    assert_null(strpbrk(err.text, "\n\r\x1b"));
    assert_true(strlen(err.text) < sizeof err.text);
    assert_int_equal(err.status, LQ_ERR_FIELD);
    assert_int_equal(lq_fail(NULL, LQ_ERR_IO, "nobody listens"), LQ_ERR_IO);
}

static void a_prefix_keeps_the_status(void **state)
{
    (void)state;
    struct lq_error err;
    lq_fail(&err, LQ_ERR_MODEL, "no outputs");
    assert_int_equal(lq_fail_within(&err, "model '%s'", "a.onnx"), LQ_ERR_MODEL);
    assert_string_equal(err.text, "model 'a.onnx': no outputs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_row),
        cmocka_unit_test(a_message_is_one_line_that_fits),
        cmocka_unit_test(a_prefix_keeps_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
