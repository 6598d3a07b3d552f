// Which candidates are measured on which processor.
#include <string.h>

#include "cli/tune_candidates.h"
#include "unit/unit.h"

static struct lq_tune_candidate all[LQ_TUNE_CANDIDATES_MAX];

static bool has(int count, bool floats, enum lq_precision precision, const char *isa)
{
    for (int i = 0; i < count; i++)
        if (all[i].floats == floats && all[i].precision == precision &&
            strcmp(all[i].isa, isa) == 0)
            return true;
    return false;
}

static void with_amx(void **state)
{
    (void)state;
    const struct lq_tune_case here = {.ours = true, .pair = true, .quantised = true,
                                      .bf16 = true, .f16 = true, .amx = true};
    int count = lq_tune_candidates(&here, all);
    assert_int_equal(count, 6);
    // The configuration without a stored choice is the int8 file's reference.
    assert_false(all[0].floats);
    assert_string_equal(all[0].isa, "AVX512_CORE_FP16");
    assert_true(has(count, false, LQ_PRECISION_F32, "ALL"));
    assert_true(has(count, true, LQ_PRECISION_F32, "ALL"));
    assert_true(has(count, true, LQ_PRECISION_BF16, "ALL"));
    assert_true(has(count, true, LQ_PRECISION_F16, "AVX512_CORE_FP16"));
}

static void with_nothing(void **state)
{
    (void)state;
    const struct lq_tune_case here = {.ours = true, .pair = true, .quantised = true};
    const struct lq_tune_case other = {0};
    assert_int_equal(lq_tune_candidates(&here, all), 2);
    assert_int_equal(lq_tune_candidates(&other, all), 1);
    assert_int_equal(all[0].precision, LQ_PRECISION_F32);
    assert_false(all[0].floats);
}

static void a_users_own_model(void **state)
{
    (void)state;
    const struct lq_tune_case floats = {.bf16 = true}, whole = {.quantised = true, .bf16 = true};
    int count = lq_tune_candidates(&floats, all);
    assert_int_equal(count, 2);
    assert_true(has(count, false, LQ_PRECISION_BF16, "ALL"));
    assert_int_equal(lq_tune_candidates(&whole, all), 1); // no other file of it is known
    const struct lq_tune_case both = {.pair = true, .quantised = true, .bf16 = true};
    assert_int_equal(lq_tune_candidates(&both, all), 3);
    assert_true(has(3, true, LQ_PRECISION_BF16, "ALL"));
}

static void a_large_quantised_model_begins_with_amx(void **state)
{
    (void)state;
    const struct lq_tune_case here = {.quantised = true, .large = true, .amx = true};
    assert_int_equal(lq_tune_candidates(&here, all), 2);
    assert_string_equal(all[0].isa, "ALL");
    assert_true(has(2, false, LQ_PRECISION_F32, "AVX512_CORE_FP16"));
}

static void a_cap_that_the_user_set_stands(void **state)
{
    (void)state;
    const struct lq_tune_case here = {.ours = true, .pair = true, .quantised = true,
                                      .bf16 = true, .f16 = true, .amx = true, .amx_f16 = true,
                                      .isa_set = true};
    int count = lq_tune_candidates(&here, all);
    assert_int_equal(count, 4); // int8, and the float file's three precisions
    for (int i = 0; i < count; i++)
        assert_string_equal(all[i].isa, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_amx),
        cmocka_unit_test(with_nothing),
        cmocka_unit_test(a_users_own_model),
        cmocka_unit_test(a_large_quantised_model_begins_with_amx),
        cmocka_unit_test(a_cap_that_the_user_set_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
