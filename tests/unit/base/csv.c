#include "base/csv.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

static struct lq_csv csv;
static struct lq_error err;

static void start(const char *text)
{
    assert_ok(lq_csv_init(&csv, text, strlen(text), &err));
}

// Returns the next record, its fields joined by '|'; "!line reason" if it cannot be read, "" at the
// end.
static const char *next(void)
{
    static char text[1024];
    int status = lq_csv_next(&csv, &err);
    size_t len = 0;
    text[0] = 0;
    if (status < 0)
        snprintf(text, sizeof text, "!%d %s", csv.line, err.text);
    for (int i = 0; status == 1 && i < csv.count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? "|" : "",
                                csv.fields[i]);
    return text;
}

static void fields_are_read_as_spreadsheets_write_them(void **state)
{
    (void)state;
    static const struct { const char *text, *first, *second; } table[] = {
        {"a,b\r\nc,d\r\n", "a|b", "c|d"},
        {"a,b\nc,d", "a|b", "c|d"},
        {"a,b\rc,d\r", "a|b", "c|d"},
        {"\xef\xbb\xbf\"a\",b\nc,d", "a|b", "c|d"},
        {"a;b,c\n1;2,3", "a;b|c", "1;2|3"},
        {"a;b;c,d\n1;2;3", "a|b|c,d", "1|2|3"},
        {"a\tb\n1,5\t2", "a|b", "1,5|2"},
        {"\"a,\"\"b\"\"\nc\",d\n\n , \ne,", "a,\"b\"\nc|d", "e|"},
        {"\"a\" b,c\n,,d", "a b|c", "||d"},
        {"\"\",b", "|b", ""},
        // Windows-1252: the euro, an e with an acute accent, an en dash.
        {"\x80,caf\xe9\n\x96,\x81", "\xe2\x82\xac|caf\xc3\xa9", "\xe2\x80\x93|\xef\xbf\xbd"},
        {"\xe2\x82\xac,caf\xc3\xa9\n", "\xe2\x82\xac|caf\xc3\xa9", ""},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++) {
        start(table[i].text);
        assert_string_equal(next(), table[i].first);
        assert_string_equal(next(), table[i].second);
        lq_csv_release(&csv);
    }
}

static void lines_are_counted_past_breaks_in_fields(void **state)
{
    (void)state;
    start("a\r\n\"b\r\nb\nb\",c\r\n\r\nd\r\n");
    next();
    assert_int_equal(csv.line, 1);
    next();
    assert_int_equal(csv.line, 2);
    assert_string_equal(next(), "d");
    assert_int_equal(csv.line, 6);
    lq_csv_release(&csv);
}

// Only one line is lost, although the open quote covers the rest of the file.
static void a_quote_left_open_costs_one_line(void **state)
{
    (void)state;
    start("a,b\n\"c,d\ne,f\n\"g\",h\n");
    assert_string_equal(next(), "a|b");
    assert_string_equal(next(), "c,d\ne,f\ng\"|h"); // closed by another's quote
    lq_csv_release(&csv);
    start("a,b\n\"c,d\ne,f\ng,h\n");
    assert_string_equal(next(), "a|b");
    assert_string_equal(next(), "!2 a quote is opened and never closed");
    assert_string_equal(next(), "e|f");
    assert_int_equal(csv.line, 3);
    assert_string_equal(next(), "g|h");
    assert_string_equal(next(), "");
    lq_csv_release(&csv);
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    static char wide[2 * LQ_CSV_FIELDS_MAX + 16];
    memset(wide, ',', LQ_CSV_FIELDS_MAX);
    strcpy(wide + LQ_CSV_FIELDS_MAX, "\na,b\n");
    start(wide);
    assert_string_equal(next(), "!1 it has more than 512 columns");
    assert_string_equal(next(), "a|b");
    lq_csv_release(&csv);
    assert_ok(lq_csv_init(&csv, "a\0b\nc", 5, &err));
    assert_string_equal(next(), "!1 it contains a zero byte, so it is not text");
    assert_string_equal(next(), "c");
    lq_csv_release(&csv);
    assert_int_equal(lq_csv_init(&csv, "\xff\xfe" "a\0", 4, &err), LQ_ERR_FORMAT);
    lq_csv_release(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_as_spreadsheets_write_them),
        cmocka_unit_test(lines_are_counted_past_breaks_in_fields),
        cmocka_unit_test(a_quote_left_open_costs_one_line),
        cmocka_unit_test(what_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
