#include "engine/kserve.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static struct lq_error err;

static int model(struct lq_tensors *tensors, const char *json)
{
    return lq_kserve_read_model(tensors, json, strlen(json), &err);
}

static void test_metadata(void **state)
{
    (void)state;
    struct lq_tensors tensors;
    assert_ok(model(&tensors,
                    "{\"name\":\"nail\",\"platform\":\"python\",\"inputs\":[{\"name\":\"image\","
                    "\"datatype\":\"FP16\",\"shape\":[-1,3,-1,384]}],\"outputs\":[{\"name\":\"a\","
                    "\"datatype\":\"FP32\",\"shape\":[-1]},{\"name\":\"b\",\"datatype\":\"BYTES\","
                    "\"shape\":[]}]}"));
    assert_int_equal(tensors.input_count, 1);
    assert_string_equal(tensors.inputs[0].name, "image");
    assert_int_equal(tensors.inputs[0].type, LQ_TENSOR_F16);
    assert_int_equal(tensors.inputs[0].rank, 4);
    assert_int_equal(tensors.inputs[0].dims[0], -1);
    assert_int_equal(tensors.inputs[0].dims[3], 384);
    assert_int_equal(tensors.output_count, 2);
    assert_int_equal(tensors.outputs[1].type, LQ_TENSOR_OTHER);
}

static void test_wrong_metadata(void **state)
{
    (void)state;
    static const char *const good = "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1]}";
    char many[1024] = "", name[400];
    for (int i = 0; i < 9; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s%s", i ? "," : "", good);
    memset(name, 'n', 200);
    name[200] = '\0';
    char cases[12][1200];
    int count = 0;
    const char *const tensors[] = {
        "", many, "7", "{}", "{\"name\":\"\",\"shape\":[]}", "{\"name\":\"x\"}",
        "{\"name\":\"x\",\"shape\":[1.5]}", "{\"name\":\"x\",\"shape\":[-2]}",
        "{\"name\":\"x\",\"shape\":[4294967296]}", "{\"name\":\"x\",\"shape\":[1,1,1,1,1,1,1]}"};
    for (size_t i = 0; i < LQ_COUNT(tensors); i++)
        snprintf(cases[count++], sizeof cases[0], "{\"inputs\":[%s],\"outputs\":[%s]}", tensors[i],
                 good);
    snprintf(cases[count++], sizeof cases[0],
             "{\"inputs\":[{\"name\":\"%s\",\"shape\":[1]}],\"outputs\":[%s]}", name, good);
    snprintf(cases[count++], sizeof cases[0], "[{\"inputs\":[%s]}]", good);
    for (int i = 0; i < count; i++) {
        struct lq_tensors read;
        assert_int_equal(model(&read, cases[i]), LQ_ERR_ENGINE);
        assert_non_null(strstr(err.text, "malformed"));
    }
}

static struct lq_tensor tensor(const char *name, enum lq_tensor_type type, int rank, int64_t a,
                               int64_t b)
{
    struct lq_tensor made = {.type = type, .rank = rank, .dims = {a, b}};
    snprintf(made.name, sizeof made.name, "%s", name);
    return made;
}

static struct lq_tensors two_outputs(void)
{
    return (struct lq_tensors){
        .input_count = 1,
        .output_count = 2,
        .inputs = {tensor("in \"1\"", LQ_TENSOR_F32, 2, 1, 3)},
        .outputs = {tensor("a", LQ_TENSOR_F32, 2, 1, 2), tensor("b", LQ_TENSOR_F16, 2, 1, 4)}};
}

static void test_request(void **state)
{
    (void)state;
    const struct lq_tensors tensors = two_outputs();
    struct lq_buf json;
    lq_buf_init(&json, LQ_KSERVE_JSON_MAX);
    assert_ok(lq_kserve_print_request(&json, &tensors, NULL, &err));
    json_t *root = json_loadb((const char *)json.data, json.len, 0, NULL);
    const char *name;
    int a, b, size, binary;
    assert_ok(json_unpack(root, "{s:[{s:s, s:[i,i], s:{s:i}}], s:[{s:{s:b}}]}", "inputs", "name",
                          &name, "shape", &a, &b, "parameters", "binary_data_size", &size,
                          "outputs", "parameters", "binary_data", &binary));
    assert_string_equal(name, "in \"1\"");
    lq_kserve_stamp(&json, 0xabcdef);
    assert_memory_equal(json.data, "{\"id\":\"0000000000abcdef\",\"inputs\"", 33);
    assert_true(a == 1 && b == 3 && size == 12 && binary);
    json_decref(root);
    lq_buf_clear(&json);
    const struct lq_kserve_region region = {"r", {0}, {64, 128}};
    assert_ok(lq_kserve_print_request(&json, &tensors, &region, &err));
    root = json_loadb((const char *)json.data, json.len, 0, NULL);
    int at;
    assert_ok(json_unpack(root, "{s:[{}, {s:{s:s, s:i, s:i}}]}", "outputs", "parameters",
                          "shared_memory_region", &name, "shared_memory_offset", &at,
                          "shared_memory_byte_size", &size));
    assert_true(strcmp(name, "r") == 0 && at == 128 && size == 8);
    json_decref(root);
    lq_buf_release(&json);
}

// The outputs are in another order than in the metadata.
static const char answer[] =
    "{\"outputs\":[{\"name\":\"b\",\"datatype\":\"FP16\",\"shape\":[1,4],\"parameters\":"
    "{\"binary_data_size\":8}},{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2],"
    "\"parameters\":{\"binary_data_size\":8}}]}";

static uint64_t sent_id; // 0: none

static int reply(const char *json, size_t payload, long json_len, struct lq_tensors *tensors,
                 const uint8_t **parts)
{
    static uint8_t body[4096];
    size_t len = strlen(json);
    memcpy(body, json, len);
    memset(body + len, 0xab, payload);
    // Uses an exact copy, so that AddressSanitizer detects a read past the response.
    uint8_t *exact = malloc(len + payload);
    memcpy(exact, body, len + payload);
    const struct lq_kserve_reply from = {exact, len + payload,
                                         json_len == 0 ? (long)len : json_len, sent_id};
    int status = lq_kserve_read_reply(tensors, &from, parts, &err);
    for (int i = 0; status == LQ_OK && i < tensors->output_count; i++) {
        assert_true(parts[i] >= exact && parts[i] + lq_tensor_bytes(&tensors->outputs[i]) <=
                                             exact + len + payload);
        parts[i] = body + (parts[i] - exact);
    }
    free(exact);
    return status;
}

static void test_reply(void **state)
{
    (void)state;
    const uint8_t *parts[LQ_TENSORS_MAX];
    struct lq_tensors tensors = two_outputs();
    assert_ok(reply(answer, 16, 0, &tensors, parts));
    assert_ptr_equal(parts[0], parts[1] + 8);
    // An unknown shape is taken from the first response; later ones must match it.
    tensors.outputs[0].rank = 0;
    assert_ok(reply(answer, 16, 0, &tensors, parts));
    assert_true(tensors.outputs[0].rank == 2 && tensors.outputs[0].dims[1] == 2);
    tensors.outputs[0].dims[1] = 3;
    assert_int_equal(reply(answer, 16, 0, &tensors, parts), LQ_ERR_ENGINE);
    assert_non_null(strstr(err.text, "another shape"));
}

static void test_ids(void **state)
{
    (void)state;
    const uint8_t *parts[LQ_TENSORS_MAX];
    struct lq_tensors tensors = two_outputs();
    char json[512];
    static const struct {
        const char *id;
        int status;
    } cases[] = {{"\"00000000000000ff\"", LQ_OK}, {"\"\"", LQ_OK}, {"null", LQ_OK},
                 {"\"00000000000000fe\"", LQ_ERR_ENGINE}, {"\"x\"", LQ_ERR_ENGINE}};
    sent_id = 255;
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        snprintf(json, sizeof json, "{\"id\":%s,%s", cases[i].id, answer + 1);
        assert_int_equal(reply(json, 16, 0, &tensors, parts), cases[i].status);
        assert_true(cases[i].status == LQ_OK || strstr(err.text, "another request"));
    }
    assert_ok(reply(answer, 16, 0, &tensors, parts));
    sent_id = 0;
}

static void test_wrong_replies(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t payload;
        long json_len;
    } cases[] = {
        {answer, 15, 0},  {answer, 17, 0},    {answer, 0, 0},        {answer, 16, -1},
        {answer, 16, 1},  {answer, 16, 2000}, {answer, 16, INT64_MAX}, {"", 16, 0},
        {"[]", 16, 0},    {"{\"outputs\":{}}", 16, 0}, {"{\"outputs\":[]}", 0, 0},
        {"{\"outputs\":[{\"name\":\"c\",\"datatype\":\"FP32\",\"shape\":[1]}]}", 4, 0},
        {"{\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2]}]}", 8, 0},
        {"{\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2],\"parameters\":"
         "{\"binary_data_size\":-8}}]}", 8, 0},
        {"{\"outputs\":[{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2],\"parameters\":"
         "{\"binary_data_size\":8}},{\"name\":\"a\",\"datatype\":\"FP32\",\"shape\":[1,2],"
         "\"parameters\":{\"binary_data_size\":8}}]}", 16, 0},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        const uint8_t *parts[LQ_TENSORS_MAX];
        struct lq_tensors tensors = two_outputs();
        assert_int_equal(reply(cases[i].json, cases[i].payload, cases[i].json_len, &tensors, parts),
                         LQ_ERR_ENGINE);
    }
}

static void test_parameter(void **state)
{
    (void)state;
    static const char config[] =
        "{\"parameters\":{\"lacquer\":{\"string_value\":\"{\\\"head\\\":\\\"mask\\\"}\"}}}";
    struct lq_buf value;
    lq_buf_init(&value, 64);
    assert_ok(lq_kserve_read_parameter(&value, "lacquer", config, sizeof config - 1, &err));
    assert_memory_equal(value.data, "{\"head\":\"mask\"}", value.len);
    lq_buf_clear(&value);
    assert_ok(lq_kserve_read_parameter(&value, "other", config, sizeof config - 1, &err));
    assert_int_equal(value.len, 0);
    // Servers without Triton's typed parameters send a string, or the object itself.
    static const char *const plain[] = {
        "{\"parameters\":{\"lacquer\":\"{\\\"head\\\":\\\"mask\\\"}\"}}",
        "{\"parameters\":{\"lacquer\":{\"head\":\"mask\"}}}"};
    for (size_t i = 0; i < LQ_COUNT(plain); i++) {
        lq_buf_clear(&value);
        assert_ok(lq_kserve_read_parameter(&value, "lacquer", plain[i], strlen(plain[i]), &err));
        assert_int_equal(value.len, 15);
        assert_memory_equal(value.data, "{\"head\":\"mask\"}", 15);
    }
    lq_buf_clear(&value);
    value.max = 4;
    assert_int_equal(
        lq_kserve_read_parameter(&value, "lacquer", config, sizeof config - 1, &err),
        LQ_ERR_TOO_LARGE);
    lq_buf_release(&value);
}

static void test_refusal_and_names(void **state)
{
    (void)state;
    char text[16];
    lq_kserve_read_refusal(text, sizeof text, "{\"error\":\"a long story about it\"}", 33);
    assert_string_equal(text, "a long story ab");
    lq_kserve_read_refusal(text, sizeof text, NULL, 0);
    assert_string_equal(text, "no reason given");
    assert_true(lq_kserve_name_is_plain("nail_seg-1.2"));
    static const char *const bad[] = {"", "a/b", "a b", "a?b", "..", "%2e", "\xc3\xa4"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_false(lq_kserve_name_is_plain(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata),      cmocka_unit_test(test_wrong_metadata),
        cmocka_unit_test(test_request),       cmocka_unit_test(test_reply),
        cmocka_unit_test(test_ids),           cmocka_unit_test(test_wrong_replies),
        cmocka_unit_test(test_parameter),
        cmocka_unit_test(test_refusal_and_names),
    };
    return cmocka_run_group_tests_name("kserve", tests, NULL, NULL);
}
