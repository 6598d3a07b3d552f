// Changes the size written in a model and reads it with OpenVINO; damaged models give an error.
#include "format/onnx_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/list.h"
#include "unit/engine_open.h"
#include "unit/unit.h"

static struct lq_error err;

static void read_model(struct lq_buf *bytes, const char *path)
{
    lq_buf_init(bytes, 1 << 26);
    assert_ok(lq_file_read(path, bytes, &err));
}

// Reads the changed model's tensors with OpenVINO.
static void describe(const struct lq_buf *bytes, struct lq_tensors *tensors)
{
    char path[] = "/tmp/lacquer-shape-XXXXXX.onnx";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_ok(lq_file_write_fd(fd, bytes->data, bytes->len));
    close(fd);
    assert_ok(engine_describe(&lq_engine_openvino, path, tensors, &err));
    unlink(path);
}

static void another_size(void **state)
{
    (void)state;
    struct lq_buf model, out;
    struct lq_tensors tensors;
    read_model(&model, "models/nail-f16.onnx");
    for (int open = 0; open < 2; open++) {
        lq_buf_init(&out, 1 << 26);
        const int64_t shape[] = {open ? -1 : 1, 3, 320, 320};
        assert_ok(lq_onnx_bind_shape(model.data, model.len, shape, 4, &out, &err));
        describe(&out, &tensors);
        assert_string_equal(tensors.inputs[0].name, "image");
        assert_int_equal(tensors.inputs[0].dims[0], open ? -1 : 1);
        assert_int_equal(tensors.inputs[0].dims[2], 320);
        assert_int_equal(tensors.outputs[0].dims[0], open ? -1 : 1);
        assert_int_equal(tensors.outputs[0].dims[3], 160);
        lq_buf_release(&out);
    }
    lq_buf_release(&model);
}

static void no_model_is_refused(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 3, 64, 64};
    static const struct { const char *bytes; size_t len; } bad[] = {
        {"", 0}, {"not a model", 11}, {"\x3a\xff\xff\xff\xff\x0f", 6}, {"\x3a\x00", 2},
        {"\x38\x01", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct lq_buf out;
        lq_buf_init(&out, 1 << 20);
        assert_int_equal(lq_onnx_bind_shape((const uint8_t *)bad[i].bytes, bad[i].len, shape, 4,
                                            &out, &err), LQ_ERR_MODEL);
        lq_buf_release(&out);
    }
}

// Uses memory of exactly that size, so that a sanitizer detects a read past its end.
static void damage_is_survived(void **state)
{
    (void)state;
    struct lq_buf model, out;
    uint32_t random = 11;
    read_model(&model, "tests/fixtures/tiny_map.onnx");
    uint8_t *copy = malloc(model.len);
    for (int round = 0; round < 3000; round++) {
        size_t len = round % 2 ? model.len : unit_random(&random) % model.len;
        uint8_t *spoilt = realloc(copy, len + !len);
        assert_non_null(spoilt);
        copy = spoilt;
        memcpy(copy, model.data, len);
        for (int i = 0; round % 2 && i < 3; i++)
            copy[unit_random(&random) % len] = (uint8_t)unit_random(&random);
        lq_buf_init(&out, 1 << 20);
        const int64_t shape[] = {round % 3 == 0 ? -1 : 1, 3, 64, 64};
        int status = lq_onnx_bind_shape(copy, len, shape, 4, &out, &err);
        assert_true(status == LQ_OK || status == LQ_ERR_MODEL);
        lq_buf_release(&out);
    }
    free(copy);
    lq_buf_release(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_size),
        cmocka_unit_test(no_model_is_refused),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
