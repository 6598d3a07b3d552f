#include "engine/tensor_memory.h"

#include <string.h>

#include "unit/unit.h"

static struct lq_tensors one_and_two(void)
{
    return (struct lq_tensors){
        .input_count = 1, .output_count = 2,
        .inputs = {{"image", LQ_TENSOR_F32, 4, {1, 3, 5, 7}, NULL}},
        .outputs = {{"map", LQ_TENSOR_F16, 2, {3, 4}, NULL}, {"flag", LQ_TENSOR_U8, 0, {0}, NULL}}};
}

static void every_tensor_has_zeroed_memory(void **state)
{
    (void)state;
    static const uint8_t zeros[1 * 3 * 5 * 7 * 4];
    struct lq_tensors tensors = one_and_two();
    struct lq_error err;
    assert_ok(lq_tensors_alloc(&tensors, &err));
    assert_memory_equal(tensors.inputs[0].data, zeros, sizeof zeros);
    assert_memory_equal(tensors.outputs[0].data, zeros, 3 * 4 * 2);
    assert_memory_equal(tensors.outputs[1].data, zeros, 1);
    memset(tensors.inputs[0].data, 1, sizeof zeros); // a sanitizer sees if that is too much
    lq_tensors_free(&tensors);
    assert_null(tensors.inputs[0].data);
    assert_null(tensors.outputs[1].data);
}

// The memory of what came before is given back, which a sanitizer's leak check sees.
static void an_open_size_is_refused(void **state)
{
    (void)state;
    struct lq_tensors tensors = one_and_two();
    struct lq_error err;
    tensors.outputs[1] = (struct lq_tensor){"late", LQ_TENSOR_F32, 2, {1, -1}, NULL};
    assert_int_equal(lq_tensors_alloc(&tensors, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "'late'"));
    assert_null(tensors.inputs[0].data);
    assert_null(tensors.outputs[0].data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tensor_has_zeroed_memory),
        cmocka_unit_test(an_open_size_is_refused),
    };
    return cmocka_run_group_tests_name("tensor_memory", tests, NULL, NULL);
}
