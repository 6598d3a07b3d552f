// Which instruction-set limit is set for oneDNN, and when none is.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cpu.h"
#include "base/file.h"
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

// The same network in a file of nine megabytes: an ONNX reader skips fields that it does not know.
static void large_quantised_networks_use_it(void **state)
{
    (void)state;
    char path[] = "/tmp/lacquer-large-XXXXXX.onnx";
    struct lq_buf model;
    struct lq_error err;
    lq_buf_init(&model, 1 << 24);
    assert_ok(lq_file_read("models/nail.onnx", &model, &err));
    size_t len = model.len, more = 9 << 20;
    assert_ok(lq_buf_resize(&model, len + 6 + more));
    // Field 1000, as long as this: a varint of key and one of length, then zeros.
    const uint8_t head[] = {0xc2, 0x3e, 0x80, 0x80, 0xc0, 0x04};
    memcpy(model.data + len, head, sizeof head);
    memset(model.data + len + sizeof head, 0, more);
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_ok(lq_file_write_fd(fd, model.data, model.len));
    close(fd);
    assert_true(lq_cli_is_quantised(path) && lq_cli_is_large(path));
    assert_false(lq_cli_is_large("models/nail.onnx"));
    lq_cli_limit_onednn(path);
    assert_null(getenv(name));
    unlink(path);
    lq_buf_release(&model);
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
        cmocka_unit_test_setup(large_quantised_networks_use_it, forget),
        cmocka_unit_test_setup(others_may_use_it, forget),
        cmocka_unit_test_setup(what_the_user_says_stands, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
