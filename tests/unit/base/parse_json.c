#include "base/parse_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#ifdef LQ_SANITIZE
static const bool can_fail = false; // sanitizers have an allocator of their own
static long made, fail_at, fail_more;
#else
static const bool can_fail = true;
static long made, fail_at, fail_more; // allocations so far, the first to fail, and how many after it

void *__libc_malloc(size_t size);

__attribute__((noinline)) void *malloc(size_t size)
{
    made++;
    if (fail_at && made >= fail_at && made <= fail_at + fail_more)
        return NULL;
    return __libc_malloc(size);
}
#endif

// Tokens of every length about those at which jansson's buffer grows, each ended by what could be
// the byte that is lost.
static size_t write_text(char *text, size_t size)
{
    size_t len = 0;
    text[len++] = '[';
    for (int digits = 1; digits < 70 && len + 200 < size; digits++) {
        for (int i = 0; i < digits; i++)
            text[len++] = i == 1 ? '.' : '1';
        len -= digits == 2; // no number ends with a point
        len += (size_t)sprintf(text + len, ",\"%0*d\\u00e9\",{\"%0*d\":true}%s", digits, 1, digits, 2,
                               digits % 2 ? ", " : ",");
    }
    len += (size_t)sprintf(text + len, "null]");
    return len;
}

static void reads_what_jansson_reads(void **state)
{
    (void)state;
    json_error_t where;
    json_t *root = lq_json_parse("{\"a\": [1, 2]}", 13, 0, &where);
    assert_int_equal(json_array_size(json_object_get(root, "a")), 2);
    json_decref(root);
    assert_null(lq_json_parse("{\"a\":1,\"a\":2}", 13, JSON_REJECT_DUPLICATES, &where));
    assert_false(lq_json_ran_out(&where));
    assert_null(lq_json_parse("{", 1, 0, &where));
    assert_false(lq_json_ran_out(&where));
    assert_int_equal(where.line, 1);
}

// jansson alone writes past its memory here, or stops at an assertion.
static void memory_runs_out_at_every_call(void **state)
{
    (void)state;
    static char text[32768];
    size_t len = write_text(text, sizeof text);
    json_error_t where;
    if (!can_fail)
        skip();
    long before = made;
    json_t *root = lq_json_parse(text, len, 0, &where);
    long total = made - before;
    assert_non_null(root);
    json_decref(root);
    assert_true(total > 400);
    for (int more = 0; more < 2; more++)
        for (long number = 1; number <= total; number++) {
            made = 0;
            fail_more = more ? 1000000 : 0;
            fail_at = number;
            root = lq_json_parse(text, len, 0, &where);
            fail_at = 0;
            assert_null(root);
            assert_true(lq_json_ran_out(&where));
            assert_string_equal(where.text, "out of memory");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_jansson_reads),
        cmocka_unit_test(memory_runs_out_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
