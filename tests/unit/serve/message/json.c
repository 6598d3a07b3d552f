#include "serve/message/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "unit/unit.h"

static int read_text(const char *text, size_t len)
{
    json_t *root;
    struct lq_error err;
    int status = lq_json_read(&root, text, len, &err);
    assert_int_equal(root != NULL, status == LQ_OK);
    json_decref(root);
    return status;
}

static void reads_what_jansson_reads(void **state)
{
    (void)state;
    static const char *const good[] = {"{}", "[]", "{\"a\":\"[[[[[\",\"b\":[1,2,{\"c\":null}]}",
                                       "[\"\\\"[\\\\\"]", " {\"a\":1} "};
    static const char *const bad[] = {"{", "\"", "\"\\", "nothing", "{\"a\"}", "[1,]", "[]]", "1"};
    for (size_t i = 0; i < LQ_COUNT(good); i++)
        assert_ok(read_text(good[i], strlen(good[i])));
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(read_text(bad[i], strlen(bad[i])), LQ_ERR_SYNTAX);
    assert_int_equal(read_text(NULL, 0), LQ_ERR_SYNTAX);
}

// An array of `depth` arrays inside each other.
static int read_nested(int depth)
{
    char text[2 * LQ_JSON_DEPTH_MAX + 8];
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    return read_text(text, 2 * (size_t)depth);
}

// crosses: JSON_DEPTH_MAX
static void depth_has_a_limit(void **state)
{
    (void)state;
    assert_ok(read_nested(LQ_JSON_DEPTH_MAX));
    assert_int_equal(read_nested(LQ_JSON_DEPTH_MAX + 1), LQ_ERR_SYNTAX);
}

// [0,0,…]: the array itself and `count` - 1 numbers, of which only the first follows no comma.
static int read_many(int count)
{
    char text[2 * LQ_JSON_VALUES_MAX + 8] = "[0";
    size_t len = 2;
    for (int i = 1; i < count - 1; i++, len += 2)
        memcpy(text + len, ",0", 2);
    text[len++] = ']';
    return read_text(text, len);
}

// crosses: JSON_VALUES_MAX
static void values_have_a_limit(void **state)
{
    (void)state;
    assert_ok(read_many(LQ_JSON_VALUES_MAX));
    assert_int_equal(read_many(LQ_JSON_VALUES_MAX + 2), LQ_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_jansson_reads),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(values_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
