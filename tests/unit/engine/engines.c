#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "unit/unit.h"

static void engines_are_found_by_name(void **state)
{
    (void)state;
    struct lq_error err = {0};
    for (int i = 0; lq_engines[i]; i++)
        assert_ptr_equal(lq_engine_find(lq_engines[i]->name, &err), lq_engines[i]);
    assert_string_equal(lq_engines[0]->name, "openvino"); // the default
    assert_null(lq_engine_find("abacus", &err));
    assert_int_equal(err.status, LQ_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "unknown engine 'abacus': this build has openvino, "));
    for (int i = 0; lq_engines[i]; i++)
        assert_non_null(strstr(err.text, lq_engines[i]->name));
}

static void tensors_are_measured(void **state)
{
    (void)state;
    struct lq_tensor tensor = {.type = LQ_TENSOR_F16, .rank = 4, .dims = {1, 3, 288, 384}};
    assert_int_equal(lq_tensor_count(&tensor), 331776);
    assert_int_equal(lq_tensor_bytes(&tensor), 663552);
    tensor.dims[0] = -1; // open
    assert_int_equal(lq_tensor_count(&tensor), 0);
    tensor.dims[0] = INT64_MAX; // more than memory has
    assert_int_equal(lq_tensor_bytes(&tensor), 0);
    tensor.dims[0] = 1;
    tensor.type = LQ_TENSOR_OTHER; // nothing known of its size
    assert_int_equal(lq_tensor_bytes(&tensor), 0);
}

static void every_tensor_has_zeroed_memory(void **state)
{
    (void)state;
    static const uint8_t zeros[1 * 3 * 5 * 7 * 4];
    struct lq_tensors tensors = {
        .input_count = 1, .output_count = 2,
        .inputs = {{"image", LQ_TENSOR_F32, 4, {1, 3, 5, 7}, NULL}},
        .outputs = {{"map", LQ_TENSOR_F16, 2, {3, 4}, NULL}, {"flag", LQ_TENSOR_U8, 0, {0}, NULL}}};
    void *memory;
    struct lq_error err;
    assert_ok(lq_tensors_place(&tensors, &memory, &err));
    assert_memory_equal(tensors.inputs[0].data, zeros, sizeof zeros);
    assert_memory_equal(tensors.outputs[0].data, zeros, 3 * 4 * 2);
    assert_memory_equal(tensors.outputs[1].data, zeros, 1);
    memset(tensors.inputs[0].data, 1, sizeof zeros); // a sanitizer sees if that is too much
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engines_are_found_by_name),
        cmocka_unit_test(tensors_are_measured),
        cmocka_unit_test(every_tensor_has_zeroed_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
