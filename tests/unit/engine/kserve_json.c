#include "engine/kserve_json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static struct lq_error err;

static struct lq_tensors one_and_two(void)
{
    return (struct lq_tensors){
        .input_count = 1,
        .output_count = 2,
        .inputs = {{.name = "in \"1\"", .type = LQ_TENSOR_F32, .rank = 2, .dims = {2, 4}}},
        .outputs = {{.name = "a", .type = LQ_TENSOR_F32, .rank = 2, .dims = {1, 2}},
                    {.name = "b", .type = LQ_TENSOR_F16}}}; // unknown shape
}

static json_t *print(enum lq_tensor_type type, const void *values)
{
    struct lq_tensors tensors = one_and_two();
    const void *const data[LQ_TENSORS_MAX] = {values};
    struct lq_buf json;
    tensors.inputs[0].type = type;
    lq_buf_init(&json, 4096);
    assert_ok(lq_kserve_print_json(&json, &tensors, data, 0xff, &err));
    json_t *root = json_loadb((const char *)json.data, json.len, 0, NULL);
    assert_non_null(root);
    lq_buf_release(&json);
    return root;
}

static void test_request(void **state)
{
    (void)state;
    static const float values[] = {0, 1, -0.5f, 1.0f / 255, 0.1234567f, 123456.7f, 3e30f, NAN};
    const char *id, *name, *type, *first;
    json_t *root = print(LQ_TENSOR_F32, values), *data;
    int rows;
    assert_ok(json_unpack(root, "{s:s, s:[{s:s, s:s, s:[i], s:o}], s:[{s:s}, {}]}", "id", &id,
                          "inputs", "name", &name, "datatype", &type, "shape", &rows, "data", &data,
                          "outputs", "name", &first));
    assert_string_equal(id, "00000000000000ff");
    assert_string_equal(name, "in \"1\"");
    assert_string_equal(type, "FP32");
    assert_string_equal(first, "a");
    assert_int_equal(json_array_size(data), 8);
    for (size_t i = 0; i < 7; i++) {
        double got = json_number_value(json_array_get(data, i));
        assert_true(fabs(got - (double)values[i]) <= 1e-7 + fabs((double)values[i]) * 1e-7);
    }
    assert_true(json_number_value(json_array_get(data, 7)) == 0);
    json_decref(root);
    static const uint8_t bytes[] = {0, 1, 9, 10, 99, 100, 254, 255};
    root = print(LQ_TENSOR_U8, bytes);
    assert_ok(json_unpack(root, "{s:[{s:s, s:o}]}", "inputs", "datatype", &type, "data", &data));
    assert_string_equal(type, "UINT8");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(json_integer_value(json_array_get(data, i)), bytes[i]);
    json_decref(root);
}

static int read(const char *json, struct lq_tensors *tensors, float *a, float *b)
{
    struct lq_buf head, numbers;
    const float *parts[LQ_TENSORS_MAX];
    size_t len = strlen(json);
    // Uses an exact copy, so that AddressSanitizer detects a read past the response.
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, json, len);
    lq_buf_init(&head, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&numbers, 1 << 20);
    const struct lq_kserve_reply reply = {exact, len, -1, 255};
    int status = lq_kserve_read_json(tensors, &reply, &head, &numbers, parts, &err);
    if (status == LQ_OK) {
        memcpy(a, parts[0], lq_tensor_bytes(&tensors->outputs[0]));
        memcpy(b, parts[1], sizeof *b * lq_tensor_count(&tensors->outputs[1]));
    }
    free(exact);
    lq_buf_release(&head);
    lq_buf_release(&numbers);
    return status;
}

#define A "{\"name\":\"a\",\"datatype\":\"FP64\",\"shape\":[1,2],\"data\":[0.5,-1.25e1]}"
#define B "{\"data\" : [ [1], [2] ,[3]],\"name\":\"b\",\"datatype\":\"INT64\",\"shape\":[3,1]}"

static void test_answers(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"outputs\":[" A "," B "]}",
        "{\"model_name\":\"m\",\"id\":\"00000000000000ff\",\"outputs\":[" B ",\n" A "]}",
        "{\"parameters\":{\"x\":{\"data\":[9,9]}},\"outputs\":[" A "," B "],\"data\":[7]}",
        "{\"outputs\":[{\"parameters\":{\"data\":\"[\\\"]\"},\"shape\":[1,2],\"name\":\"a\","
        "\"datatype\":\"FP32\",\"data\":[0.50,-12.5]}," B "]}",
    };
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        struct lq_tensors tensors = one_and_two();
        float a[2], b[3];
        assert_ok(read(good[i], &tensors, a, b));
        assert_true(a[0] == 0.5f && a[1] == -12.5f && b[0] == 1 && b[1] == 2 && b[2] == 3);
        assert_true(tensors.outputs[1].rank == 2 && tensors.outputs[1].dims[0] == 3);
    }
    struct lq_tensors tensors = one_and_two();
    float a[2], b[3];
    assert_ok(read("{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[NaN,null]}," B "]}",
                   &tensors, a, b));
    assert_true(isnan(a[0]) && isnan(a[1]));
}

static void test_wrong_answers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "{}", "{\"outputs\":[" A "]}", "{\"outputs\":[" A "," A "," B "]}",
        "{\"id\":\"00000000000000fe\",\"outputs\":[" A "," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1,2,3]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[2,1],\"data\":[1,2]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":5}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[\"1\",\"2\"]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1,2x]}," B "]}",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1,2", "{\"outputs\":[{\"data\":[",
        "{\"outputs\":[{\"data\":[[[[[[[[[[[[", "{\"outputs\":[{\"data\"", "{\"outputs\":\"[\\",
        "{\"outputs\":[{\"name\":\"a\",\"shape\":[1,2],\"data\":[1,2],\"data\":[1]}," B "]}",
    };
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_tensors tensors = one_and_two();
        float a[8], b[8];
        if (read(bad[i], &tensors, a, b) != LQ_ERR_ENGINE)
            fail_msg("taken: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_request),
                                       cmocka_unit_test(test_answers),
                                       cmocka_unit_test(test_wrong_answers)};
    return cmocka_run_group_tests_name("kserve_json", tests, NULL, NULL);
}
