#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "format/operators.h"
#include "unit/temporary.h"

static struct lq_error err;

struct list {
    char text[512];
};

static void add(void *context, const char *kind, int count)
{
    struct list *list = context;
    size_t len = strlen(list->text);
    snprintf(list->text + len, sizeof list->text - len, "%s %d;", kind, count);
}

static void the_default_model(void **state)
{
    (void)state;
    struct list list = {""};
    assert_ok(lq_operators_count("models/nail.onnx", add, &list, &err));
    assert_non_null(strstr(list.text, ";Conv 52;"));
    assert_ptr_equal(strstr(list.text, "DequantizeLinear "), list.text); // the most frequent
}

// Appends a u32 to a file.
static size_t put(uint8_t *file, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        file[at + (size_t)i] = (uint8_t)(value >> 8 * i);
    return at + 4;
}

static size_t put16(uint8_t *file, size_t at, uint32_t a, uint32_t b)
{
    return put(file, at, a | b << 16);
}

// A TFLite file of three operators: CONV_2D twice with code 0, and one newer than our list with
// code 1. Offsets are relative to their own position.
static size_t make_tflite(uint8_t *file)
{
    size_t at = put(file, 0, 20);
    memcpy(file + at, "TFL3", 4);
    at = 8;
    at = put16(file, at, 10, 12); // 8: model's vtable: 10 bytes for a table of 12,
    at = put16(file, at, 0, 4);   // no version, operator codes at 4,
    at = put16(file, at, 8, 0);   // subgraphs at 8
    at = put(file, at, 12);       // 20: model: its vtable is 12 back
    at = put(file, at, 8);        // 24: codes at 32
    at = put(file, at, 64);       // 28: graphs at 92
    at = put(file, at, 2);        // 32: two codes
    at = put(file, at, 20);       // 36: first at 56
    at = put(file, at, 36);       // 40: second at 76
    at = put16(file, at, 12, 8);  // 44: a code's vtable: 12 bytes for a table of 8,
    at = put16(file, at, 4, 0);   // old code at 4, no custom code,
    at = put16(file, at, 0, 0);   // no version, no new code
    at = put(file, at, 12);       // 56: first code
    at = put(file, at, 3);        // 60: CONV_2D
    at = put16(file, at, 12, 8);  // 64: the second's vtable
    at = put16(file, at, 0, 0);
    at = put16(file, at, 0, 4);   // new code at 4
    at = put(file, at, 12);       // 76: second code
    at = put(file, at, 999);      // 80
    at = put(file, at, 0);        // 84
    at = put(file, at, 0);        // 88
    at = put(file, at, 1);        // 92: one graph
    at = put(file, at, 16);       // 96: at 112
    at = put16(file, at, 12, 8);  // 100: its vtable
    at = put16(file, at, 0, 0);
    at = put16(file, at, 0, 4);   // operators at 4
    at = put(file, at, 12);       // 112: graph
    at = put(file, at, 4);        // 116: operators at 120
    at = put(file, at, 3);        // 120: three of them
    at = put(file, at, 20);       // 124: at 144
    at = put(file, at, 16);       // 128: the same again
    at = put(file, at, 20);       // 132: at 152
    at = put16(file, at, 6, 8);   // 136: an operator's vtable: code index at 4
    at = put16(file, at, 4, 0);
    at = put(file, at, 8);        // 144: operator
    at = put(file, at, 0);        // 148: code 0
    at = put(file, at, 16);       // 152: operator
    return put(file, at, 1);      // 156: code 1
}

static void a_tflite_file(void **state)
{
    (void)state;
    uint8_t file[256];
    struct list list = {""};
    assert_ok(lq_file_write(path, file, make_tflite(file), &err));
    assert_ok(lq_operators_count(path, add, &list, &err));
    assert_string_equal(list.text, "CONV_2D 2;builtin 999 1;");
}

static void ignore(void *context, const char *kind, int count)
{
    (void)context, (void)kind, (void)count;
}

// A file cut anywhere, or with any byte changed, gives a list or an error; with sanitizers this
// test detects every invalid read.
static void damage_is_survived(void **state)
{
    (void)state;
    uint8_t file[256], bad[256];
    size_t len = make_tflite(file);
    for (size_t cut = 0; cut < len; cut++) {
        assert_ok(lq_file_write(path, file, cut, &err));
        assert_int_equal(lq_operators_count(path, ignore, NULL, &err), LQ_ERR_MODEL);
    }
    uint32_t seed = 5;
    for (int round = 0; round < 600; round++) {
        memcpy(bad, file, len);
        for (int i = 0; i < 3; i++)
            bad[8 + unit_random(&seed) % (len - 8)] = (uint8_t)unit_random(&seed);
        assert_ok(lq_file_write(path, bad, len, &err));
        (void)!lq_operators_count(path, ignore, NULL, &err);
    }
}

static void damaged_onnx_is_survived(void **state)
{
    (void)state;
    struct lq_buf file;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    assert_ok(lq_file_read("models/nail.onnx", &file, &err));
    uint32_t seed = 9;
    for (int round = 0; round < 20; round++) {
        size_t cut = unit_random(&seed) % file.len;
        assert_ok(lq_file_write(path, file.data, cut, &err));
        assert_int_equal(lq_operators_count(path, ignore, NULL, &err), LQ_ERR_MODEL);
        // Damages the head of the file, which contains the graph's structure.
        size_t at = unit_random(&seed) % 4096;
        uint8_t kept = file.data[at];
        file.data[at] = (uint8_t)unit_random(&seed);
        assert_ok(lq_file_write(path, file.data, file.len, &err));
        (void)!lq_operators_count(path, ignore, NULL, &err);
        file.data[at] = kept;
    }
    lq_buf_release(&file);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    assert_int_equal(lq_operators_count("meson.build", ignore, NULL, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "neither .onnx nor .tflite"));
    assert_int_equal(lq_operators_count("/no/such/file", ignore, NULL, &err), LQ_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_model),
        cmocka_unit_test(a_tflite_file),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(damaged_onnx_is_survived),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
