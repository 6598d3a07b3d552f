#include <stdio.h>
#include <string.h>

#include "engine/kserve.h"
#include "unit/unit.h"

static const char index_of_triton[] =
    "[{\"name\":\"nail\",\"version\":\"1\",\"state\":\"READY\"},"
    "{\"name\":\"nail\",\"version\":\"2\",\"state\":\"READY\"},{\"name\":\"idle\"},"
    "{\"name\":\"bad\",\"version\":\"1\",\"state\":\"UNAVAILABLE\",\"reason\":\"no backend\"}]";

static void check(const char *model, const char *version, const char *json, const char *wanted)
{
    char text[160];
    bool said = lq_kserve_read_index(text, sizeof text, model, version, json, strlen(json));
    assert_true(said == (wanted != NULL));
    if (wanted)
        assert_string_equal(text, wanted);
}

static void test_index(void **state)
{
    (void)state;
    check("nale", "", index_of_triton,
          "it has no model 'nale': there are nail, idle (not ready), bad (not ready)");
    check("bad", "", index_of_triton, "its model 'bad' is not ready: UNAVAILABLE, no backend");
    check("idle", "", index_of_triton, "its model 'idle' is not ready (not loaded)");
    check("nail", "7", index_of_triton, "it has no model 'nail' of version 7: there are 1, 2");
    check("y", "3", "[{\"name\":\"y\",\"version\":null,\"state\":\"READY\"}]",
          "it has no model 'y' of version 3: there are no versions");
    check("x", "", "{\"models\":[\"one\",\"two\"]}", "it has no model 'x': there are one, two");
    check("x", "", "[]", "it has no model 'x': there is none");
    check("x", "", "{\"error\":\"no\"}", NULL);
    check("x", "", "", NULL);
    check("x", "", "[7,{},{\"name\":7}]", "it has no model 'x': there is none");
}

static void test_many(void **state)
{
    (void)state;
    char json[4096] = "[", text[160];
    for (int i = 0; i < 40; i++)
        snprintf(json + strlen(json), sizeof json - strlen(json),
                 "%s{\"name\":\"model_%02d\",\"state\":\"READY\"}", i ? "," : "", i);
    strcat(json, "]");
    assert_true(lq_kserve_read_index(text, sizeof text, "x", "", json, strlen(json)));
    assert_non_null(strstr(text, "model_00, model_01"));
    assert_non_null(strstr(text, " more"));
}

static void test_binary(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool speaks;
    } cases[] = {
        {"{\"name\":\"triton\",\"extensions\":[\"classification\",\"binary_tensor_data\"]}", true},
        {"{\"name\":\"mlserver\",\"extensions\":[]}", false},
        {"{\"extensions\":[7,null]}", false}, {"{\"extensions\":7}", false}, {"[]", false},
        {"", false}};
    for (size_t i = 0; i < LQ_COUNT(cases); i++)
        assert_true(lq_kserve_speaks_binary(cases[i].json, strlen(cases[i].json)) ==
                    cases[i].speaks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_index), cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_binary)};
    return cmocka_run_group_tests_name("kserve_index", tests, NULL, NULL);
}
