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
    // A number that is not a status must still give a row.
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

static void a_message_is_utf8(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\x85", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\x85"},
        {"\xe2\x82", "??"},         // cut off
        {"\xf0\x9f\x92", "???"},
        {"\xc3", "?"},
        {"a\xff\x80z", "a??z"},
        {"\xc0\xaf", "??"},         // overlong
        {"\xe0\x80\xaf", "???"},
        {"\xed\xa0\x80", "???"},    // half a surrogate pair
        {"\xf4\x90\x80\x80", "????"}, // beyond Unicode
        {"\xc2\x9b" "31m", "  31m"}, // a terminal's command
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lq_error err;
        lq_fail(&err, LQ_ERR_FIELD, "%s", cases[i][0]);
        assert_string_equal(err.text, cases[i][1]);
    }
    struct lq_error err;
    char longer[1000] = "x";
    for (size_t i = 1; i + 3 < sizeof longer; i += 3)
        memcpy(longer + i, "\xe2\x82\xac", 4);
    for (int skip = 0; skip < 3; skip++) {
        lq_fail(&err, LQ_ERR_FIELD, "%.*s%s", skip, "yy", longer);
        size_t len = strlen(err.text), cut = 0;
        assert_int_equal(len, sizeof err.text - 1);
        while (err.text[len - 1 - cut] == '?')
            cut++;
        assert_true(cut < 3 && (len - cut - 1 - (size_t)skip) % 3 == 0); // whole characters
    }
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
        cmocka_unit_test(a_message_is_utf8),
        cmocka_unit_test(a_prefix_keeps_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
