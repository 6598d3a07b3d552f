#include "base/parse_json.h"

#include <locale.h>
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
// allocations so far, the first to fail, and how many after it
static long made, fail_at, fail_more;

void *__libc_malloc(size_t size);
void *__libc_realloc(void *memory, size_t size);

static bool may_allocate(void)
{
    made++;
    return !fail_at || made < fail_at || made > fail_at + fail_more;
}

// Visible, so that jansson uses it too.
LQ_PUBLIC __attribute__((noinline)) void *malloc(size_t size)
{
    return may_allocate() ? __libc_malloc(size) : NULL;
}

LQ_PUBLIC __attribute__((noinline)) void *realloc(void *memory, size_t size)
{
    return may_allocate() ? __libc_realloc(memory, size) : NULL;
}
#endif

// Tokens of every length near those at which jansson's buffer grows, each ending with a byte that
// jansson could lose.
static size_t write_text(char *text, size_t size)
{
    size_t len = 0;
    text[len++] = '[';
    for (int digits = 1; digits < 70 && len + 200 < size; digits++) {
        for (int i = 0; i < digits; i++)
            text[len++] = i == 1 ? '.' : '1';
        len -= digits == 2; // no number ends with a point
        len += (size_t)sprintf(text + len, ",\"%0*d\\u00e9\",{\"%0*d\":true}%s", digits, 1, digits,
                               2,
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

// jansson's own parser is the reference: it must give the same values and reject the same texts.
static const char *const texts[] = {
    "{}", "[]", " [ ] ", "[1,-0,0,-1,10,1e3,1.5,-2.5E-3,1E+2,0.1,123456789012345678]",
    "[9223372036854775807,-9223372036854775808]", "[9223372036854775808]", "[1e400]", "[-1e400]",
    "[1e-400]", "[01]", "[-]", "[1.]", "[.5]", "[1e]", "[1e+]", "[+1]", "[1", "[1,", "[1,]", "[,]",
    "{,}", "[true,false,null]", "[tru]", "[truex]", "[nul", "{\"a\":1}",
    "{\"a\" : [ {} , {\"b\":[]} ] }", "{\"a\":1,\"a\":2}", "{\"a\":1,}", "{\"a\"}", "{\"a\":}",
    "{a:1}", "{'a':1}", "{1:1}", "[1 2]", "[1]x", "[1]]", "[}", "{]", "1", "\"a\"", "null", "", " ",
    "[\"\"]", "[\"a", "[\"a\\", "[\"a\\\"", "[\"\\\"]", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[\"\\x\"]", "[\"\\u00e9\\u20AC\\ud83d\\ude00\"]", "[\"\\ud83d\"]", "[\"\\ud83dx\"]",
    "[\"\\ud83d\\u0041\"]", "[\"\\ude00\"]", "[\"\\u12\"]", "[\"\\u00g0\"]", "[\"\\u0000\"]",
    "{\"\\u0000\":1}", "[\"\n\"]", "[\"\x1f\"]", "[\"\x7f\"]", "[\"\xc3\xa9\"]",
    "[\"\xe2\x82\xac\xf0\x9f\x98\x80\"]", "[\"\xc0\x80\"]", "[\"\xc1\xbf\"]", "[\"\xe0\x9f\xbf\"]",
    "[\"\xed\xa0\x80\"]", "[\"\xf0\x8f\xbf\xbf\"]", "[\"\xf4\x90\x80\x80\"]",
    "[\"\xf4\x8f\xbf\xbf\"]", "[\"\xf5\x80\x80\x80\"]", "[\"\x80\"]", "[\"\xc3\"]",
    "[\"\xe2\x82\"]", "\xef\xbb\xbf[]", "[1]\n\t ", "[\v1]", "{\"\xc3\xa9\":\"\\u00e9\"}", "/**/[]",
    "[1]//", "[NaN]", "[Infinity]", "[0x10]", "[1_000]",
};

static void compare(const char *text, size_t len, size_t flags)
{
    json_error_t where, reference;
    json_t *root = lq_json_parse(text, len, flags, &where);
    json_t *expected = json_loadb(text, len, flags, &reference);
    if (!root != !expected || (root && !json_equal(root, expected)))
        fail_msg("'%.*s': %s / %s", (int)len, text, root ? "read" : where.text,
                 expected ? "read" : reference.text);
    if (!root) {
        if (!memchr(text, '\n', len)) // with a damaged line end, either line may be named
            assert_int_equal(where.line, reference.line);
        assert_false(lq_json_ran_out(&where));
        assert_true(strlen(where.text) > 0);
    }
    json_decref(root);
    json_decref(expected);
}

static void reads_as_jansson_does(void **state)
{
    (void)state;
    static const size_t flags[] = {0, JSON_DECODE_ANY, JSON_REJECT_DUPLICATES,
                                   JSON_DISABLE_EOF_CHECK};
    for (size_t i = 0; i < LQ_COUNT(texts); i++)
        for (size_t f = 0; f < LQ_COUNT(flags); f++)
            compare(texts[i], strlen(texts[i]), flags[f]);
    compare("[1]\0", 4, 0);
    compare("\0[1]", 4, 0);
    compare("[\"a\0b\"]", 7, 0);
    compare("{\"a\0b\":1}", 9, 0);
}

// Changes, removes and doubles bytes of texts that are mostly JSON.
static void reads_damaged_texts_as_jansson_does(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int i = 0; i < 60000; i++) {
        char text[256];
        const char *from = texts[unit_random(&random) % LQ_COUNT(texts)];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (uint32_t more = unit_random(&random) % 3; more > 0 && len > 1; more--) {
            size_t at = unit_random(&random) % len;
            const char *other = texts[unit_random(&random) % LQ_COUNT(texts)];
            if (unit_random(&random) % 2 && *other)
                text[at] = other[unit_random(&random) % strlen(other)];
            else
                memmove(text + at, text + at + 1, --len - at);
        }
        compare(text, len, i % 2 ? JSON_DECODE_ANY : 0);
    }
}

static void levels_are_bounded(void **state)
{
    (void)state;
    static char text[2 * 100000];
    json_error_t where;
    for (int depth = 2000; depth <= 100000; depth *= 50) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        json_t *root = lq_json_parse(text, 2 * (size_t)depth, 0, &where);
        assert_int_equal(root != NULL, depth == 2000);
        json_decref(root);
    }
}

static void numbers_do_not_follow_the_locale(void **state)
{
    (void)state;
    json_error_t where;
    locale_t german = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    locale_t before = german ? uselocale(german) : (locale_t)0;
    json_t *root = lq_json_parse("[0.5]", 5, 0, &where);
    assert_true(json_real_value(json_array_get(root, 0)) == 0.5);
    json_decref(root);
    if (german) {
        uselocale(before);
        freelocale(german);
    }
}

static void prints_into_a_buffer(void **state)
{
    (void)state;
    struct lq_buf text;
    lq_buf_init(&text, 10);
    json_t *value = json_pack("{s:[i]}", "a", 1);
    assert_true(lq_json_print(value, JSON_COMPACT, &text));
    assert_int_equal(text.len, 9);
    assert_memory_equal(text.data, "{\"a\":[1]}", 9);
    assert_false(lq_json_print(value, JSON_COMPACT, &text)); // no room
    assert_false(lq_json_print(NULL, 0, &text));
    json_decref(value);
    lq_buf_release(&text);
}

// Without our changes, jansson would write past its memory here or stop at an assertion.
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
        cmocka_unit_test(reads_as_jansson_does),
        cmocka_unit_test(reads_damaged_texts_as_jansson_does),
        cmocka_unit_test(levels_are_bounded),
        cmocka_unit_test(numbers_do_not_follow_the_locale),
        cmocka_unit_test(prints_into_a_buffer),
        cmocka_unit_test(memory_runs_out_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
