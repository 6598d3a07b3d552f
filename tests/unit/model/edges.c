#include "model/edges.h"

#include <math.h>

#include "engine/f16.h"
#include "unit/unit.h"

static void a_picture_fills_the_range_of_eight_bits(void **state)
{
    (void)state;
    const float from[] = {0, 1, 0.6f, -3, 7, NAN, 1.0f / 255, 0.4999f / 255};
    const uint8_t unsigned_wanted[] = {0, 255, 153, 0, 255, 0, 1, 0};
    uint8_t bytes[8];
    struct lq_tensor tensor = {.type = LQ_TENSOR_U8, .rank = 1, .dims = {8}, .data = bytes};
    lq_edge_write(&tensor, lq_edge_rule(tensor.type, (struct lq_quantised){0}), from, 8);
    assert_memory_equal(bytes, unsigned_wanted, 8);
    tensor.type = LQ_TENSOR_I8;
    lq_edge_write(&tensor, lq_edge_rule(tensor.type, (struct lq_quantised){0}), from, 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal((int8_t)bytes[i], unsigned_wanted[i] - 128);
}

static void a_given_scale_takes_precedence(void **state)
{
    (void)state;
    const float from[] = {0, 1, -1, 100, -100, 0.26f};
    const int8_t wanted[] = {10, 14, 6, 127, -128, 11};
    int8_t steps[6];
    struct lq_tensor tensor = {.type = LQ_TENSOR_I8, .rank = 1, .dims = {6}, .data = steps};
    struct lq_quantised rule = lq_edge_rule(tensor.type, (struct lq_quantised){0.25f, 10});
    lq_edge_write(&tensor, rule, from, 6);
    assert_memory_equal(steps, wanted, 6);
}

static void halves_are_read_and_written(void **state)
{
    (void)state;
    const float from[] = {0, 1, -2.5f, 65504, 0.333251953125f};
    uint16_t halves[5];
    float room[5];
    struct lq_tensor tensor = {.type = LQ_TENSOR_F16, .rank = 1, .dims = {5}, .data = halves};
    lq_edge_write(&tensor, (struct lq_quantised){0}, from, 5);
    assert_ptr_equal(lq_edge_read(&tensor, room), room);
    assert_memory_equal(room, from, sizeof from);
    tensor.type = LQ_TENSOR_F32;
    tensor.data = room;
    assert_ptr_equal(lq_edge_read(&tensor, NULL), room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_fills_the_range_of_eight_bits),
        cmocka_unit_test(a_given_scale_takes_precedence),
        cmocka_unit_test(halves_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
