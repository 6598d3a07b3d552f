// What oneDNN is told, and what it is not.
#include <stdlib.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "cli/onednn.h"
#include "unit/unit.h"

static const char name[] = "ONEDNN_MAX_CPU_ISA";

static int forget(void **state)
{
    (void)state;
    unsetenv(name);
    unsetenv("DNNL_MAX_CPU_ISA");
    return 0;
}

static void quantised_networks_leave_amx_alone(void **state)
{
    (void)state;
    lq_cli_limit_onednn("models/nail.onnx");
    if (lq_cpu_has_amx())
        assert_string_equal(getenv(name), "AVX512_CORE_FP16");
    else
        assert_null(getenv(name));
}

static void others_may_use_it(void **state)
{
    (void)state;
    static const char *const paths[] = {"models/nail-f16.onnx", "models/nail.tflite", "LICENSE",
                                        "no/such.onnx"};
    for (size_t i = 0; i < LQ_COUNT(paths); i++) {
        lq_cli_limit_onednn(paths[i]);
        assert_null(getenv(name));
    }
}

static void what_the_user_says_stands(void **state)
{
    (void)state;
    setenv(name, "AVX2", 1);
    lq_cli_limit_onednn("models/nail.onnx");
    assert_string_equal(getenv(name), "AVX2");
    unsetenv(name);
    setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
    lq_cli_limit_onednn("models/nail.onnx");
    assert_null(getenv(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(quantised_networks_leave_amx_alone, forget),
        cmocka_unit_test_setup(others_may_use_it, forget),
        cmocka_unit_test_setup(what_the_user_says_stands, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
