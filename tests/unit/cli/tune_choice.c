// The stored choice: what is read back, what is deleted as damaged, and when it is used.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/tune_choice.h"
#include "unit/unit.h"

static char folder[64], file[128];
static const uint64_t key = 0x1234abcd5678ef01;
static const struct lq_tune_choice found = {
    .candidate = {.floats = true, .precision = LQ_PRECISION_BF16, .isa = "AVX512_CORE_AMX"},
    .one_core = true, .alone_ms = 8.25, .side_fps = 190.5};

static int begin(void **state)
{
    (void)state;
    unsetenv("LACQUER_TUNE");
    snprintf(folder, sizeof folder, "/tmp/lacquer-tune-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/tuned-1234abcd5678ef01", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(file);
    unsetenv("ONEDNN_MAX_CPU_ISA");
    return rmdir(folder);
}

static void keep(void)
{
    assert_int_equal(lq_tune_choice_write(folder, key, &found, NULL), LQ_OK);
}

static void is_restored_unchanged(void **state)
{
    (void)state;
    struct lq_tune_choice read;
    assert_false(lq_tune_choice_read(folder, key, &read));
    keep();
    assert_true(lq_tune_choice_read(folder, key, &read));
    assert_memory_equal(&read.candidate, &found.candidate, sizeof read.candidate);
    assert_true(read.one_core);
    assert_true(read.alone_ms == found.alone_ms && read.side_fps == found.side_fps);
    assert_false(lq_tune_choice_read(folder, key + 1, &read));
    assert_false(lq_tune_choice_read(NULL, key, &read));
}

// Changes each byte in turn: every damage is detected, and the file is deleted.
static void damaged_choices_are_deleted(void **state)
{
    (void)state;
    struct lq_tune_choice read;
    char text[512];
    keep();
    FILE *whole = fopen(file, "r");
    size_t len = fread(text, 1, sizeof text, whole);
    fclose(whole);
    for (size_t i = 0; i + 1 < len; i++) {
        FILE *out = fopen(file, "w");
        text[i] ^= 1;
        fwrite(text, 1, len, out);
        fclose(out);
        text[i] ^= 1;
        assert_false(lq_tune_choice_read(folder, key, &read));
        assert_int_equal(access(file, F_OK), -1);
    }
}

static void a_missing_folder_is_reported(void **state)
{
    (void)state;
    struct lq_error err;
    assert_int_equal(lq_tune_choice_write(NULL, key, &found, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "--cache-dir"));
    assert_int_not_equal(lq_tune_choice_write("/proc/none", key, &found, &err), LQ_OK);
    assert_non_null(strstr(err.text, "/proc/none"));
}

static void sets_what_is_left_open(void **state)
{
    (void)state;
    struct lq_cli_model apply = {0}, serve = {.options.tune = LQ_TUNE_BOTH}, named = serve;
    named.tune_named = true;
    lq_tune_choice_use(&found, &apply);
    lq_tune_choice_use(&found, &serve);
    lq_tune_choice_use(&found, &named);
    assert_string_equal(getenv("ONEDNN_MAX_CPU_ISA"), "AVX512_CORE_AMX");
    assert_string_equal(apply.path, lq_model_float_path());
    assert_int_equal(apply.options.precision, LQ_PRECISION_BF16);
    assert_int_equal(apply.options.threads, 1);
    assert_int_equal(serve.options.tune, LQ_TUNE_THROUGHPUT);
    assert_int_equal(named.options.tune, LQ_TUNE_BOTH);
}

static void what_the_user_says_stands(void **state)
{
    (void)state;
    const struct lq_cli_model none = {0}, openvino = {.options.engine = "openvino"};
    assert_true(lq_tune_is_open(&none));
    assert_true(lq_tune_is_open(&openvino));
    const struct lq_cli_model closed[] = {
        {.options.precision = LQ_PRECISION_F32}, {.options.threads = 2},
        {.options.engine = "triton"}, {.options.remote.url_count = 1}, {.path = "nails.replay"}};
    for (size_t i = 0; i < LQ_COUNT(closed); i++)
        assert_false(lq_tune_is_open(&closed[i]));
    setenv("LACQUER_TUNE", "off", 1);
    assert_false(lq_tune_is_open(&none));
}

static void each_model_has_its_own(void **state)
{
    (void)state;
    const struct lq_cli_model ours = {0}, floats = {.path = "models/nail-f16.onnx"},
                              none = {.path = "no/such.onnx"};
    assert_true(lq_tune_key(&ours) != 0 && lq_tune_key(&ours) == lq_tune_key(&ours));
    assert_true(lq_tune_key(&ours) != lq_tune_key(&floats));
    assert_true(lq_tune_key(&none) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_restored_unchanged, begin, end),
        cmocka_unit_test_setup_teardown(damaged_choices_are_deleted, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_folder_is_reported, begin, end),
        cmocka_unit_test_setup_teardown(sets_what_is_left_open, begin, end),
        cmocka_unit_test_setup_teardown(what_the_user_says_stands, begin, end),
        cmocka_unit_test_setup_teardown(each_model_has_its_own, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
