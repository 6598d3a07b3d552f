// ONNX Runtime of the wheel in the tests' Python, on the processor: its outputs equal OpenVINO's,
// from one thread, from many threads and in batches.
//
//   onnxruntime [MODEL.onnx...]     compares only these
#include <glob.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/list.h"
#include "engine/onnxruntime_check.h"
#include "image/codec.h"
#include "unit/engine/elsewhere.h"
#include "unit/engine_open.h"
#include "unit/unit.h"

static const struct lq_engine_ops *const engine = &lq_engine_onnxruntime;
static struct lq_error err;
static bool has_library;

static int find_library(void **state)
{
    (void)state;
    glob_t found;
    const char *named = getenv("LACQUER_ONNXRUNTIME");
    has_library = named && *named;
    if (has_library ||
        glob(".deps/venv/lib/python3*/site-packages/onnxruntime/capi", 0, NULL, &found) != 0)
        return 0;
    has_library = setenv("LACQUER_ONNXRUNTIME", found.gl_pathv[0], 1) == 0;
    globfree(&found);
    return 0;
}

static void need_library(void)
{
    if (!has_library)
        skip();
}

// ---- equal to OpenVINO

// Fills the tensor with a photo of a hand, by nearest neighbour.
static void show_hand(const struct lq_tensor *input)
{
    struct lq_codec *codec;
    struct lq_picture_info info;
    struct lq_buf bytes, pixels;
    struct lq_image photo;
    lq_buf_init(&bytes, 1 << 22);
    lq_buf_init(&pixels, 1 << 24);
    lq_picture_info_init(&info);
    assert_ok(lq_file_read("tests/golden/hands/light.jpg", &bytes, &err));
    assert_ok(lq_codec_new(&codec, &err));
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){bytes.data, bytes.len, 1 << 22},
                              &pixels, &photo, &info, &err));
    bool planes = input->dims[1] == 3;
    int64_t height = input->dims[planes ? 2 : 1], width = input->dims[planes ? 3 : 2];
    float *to = input->data;
    for (int64_t i = 0; i < 3 * height * width; i++) {
        int64_t c = planes ? i / (height * width) : i % 3;
        int64_t at = planes ? i % (height * width) : i / 3;
        int64_t y = at / width * photo.height / height, x = at % width * photo.width / width;
        to[i] = (float)photo.data[y * (int64_t)photo.stride + photo.channels * x + c] / 255.0f;
    }
    lq_codec_free(codec);
    lq_picture_info_release(&info);
    lq_buf_release(&pixels);
    lq_buf_release(&bytes);
}

// Runs a picture; the outputs stay in the request.
static struct lq_request *answer(const struct lq_engine_ops *ops, struct lq_engine **opened,
                                 const char *path, const struct lq_engine_options *options)
{
    struct lq_request *request;
    assert_ok(engine_open(ops, opened, path, options, &err));
    assert_ok(ops->request_new(&request, *opened, &err));
    show_hand(&ops->request_tensors(request)->inputs[0]);
    assert_ok(ops->run(request, 0, &err));
    return request;
}

static void compare(const char *path, const struct lq_engine_options *options)
{
    struct lq_engine *ours, *theirs;
    struct lq_request *a = answer(engine, &ours, path, options);
    struct lq_request *b = answer(&lq_engine_openvino, &theirs, path, options);
    const struct lq_tensors *found = engine->request_tensors(a);
    const struct lq_tensors *wanted = lq_engine_openvino.request_tensors(b);
    assert_int_equal(found->output_count, wanted->output_count);
    for (int i = 0; i < found->output_count; i++) {
        const float *x = found->outputs[i].data, *y = wanted->outputs[i].data;
        size_t count = lq_tensor_count(&found->outputs[i]);
        assert_int_equal(count, lq_tensor_count(&wanted->outputs[i]));
        assert_int_equal(found->outputs[i].type, LQ_TENSOR_F32);
        double worst = 0, largest = 0;
        for (size_t k = 0; k < count; k++) { // fmax twice: GCC 12 for ARM64 cannot vectorise it
            double size = fabs((double)y[k]);
            double off = fabs((double)x[k] - (double)y[k]) / (size > 1.0 ? size : 1.0);
            worst = off > worst ? off : worst;
            largest = size > largest ? size : largest;
        }
        print_message("%s %s: %zu numbers to %.3g, worst %.2g\n", path, found->outputs[i].name,
                      count, largest, worst);
        assert_true(worst <= 1e-3);
    }
    engine->request_free(a);
    lq_engine_openvino.request_free(b);
    engine->close(ours);
    lq_engine_openvino.close(theirs);
}

static void answers_as_openvino(void **state)
{
    (void)state;
    need_library();
    static const int64_t sizes[][2] = {{288, 384}, {384, 288}, {320, 320}};
    for (size_t i = 0; i < LQ_COUNT(sizes); i++) {
        const struct lq_engine_options options = {
            .precision = LQ_PRECISION_F32, .device = LQ_DEVICE_CPU, .shape_rank = 4,
            .shape = {1, 3, sizes[i][0], sizes[i][1]}};
        compare("models/nail-f16.onnx", &options);
    }
    const struct lq_engine_options as_it_is = {.precision = LQ_PRECISION_F32};
    compare("models/hand.onnx", &as_it_is);
    compare("tests/fixtures/tiny_scores.onnx", &as_it_is);
}

// ---- in parallel

enum { THREADS = 4, ROUNDS = 6 };

static const struct lq_tensors *reference;

// Alternates between its own picture and another: no output may be that of another thread.
static void *show(void *opened)
{
    struct lq_request *request = NULL;
    struct lq_error why;
    intptr_t wrong = engine->request_new(&request, opened, &why) != LQ_OK;
    for (int i = 0; i < ROUNDS && !wrong; i++) {
        const struct lq_tensors *tensors = engine->request_tensors(request);
        int picture = (i + (int)((uintptr_t)&why >> 12 & 1)) % LQ_ORT_PICTURES;
        lq_ort_draw(tensors, 0, 1, picture);
        wrong = engine->run(request, 0, &why) != LQ_OK ||
                lq_ort_distance(tensors, 0, 1, &reference[picture]) > 1e-3 ||
                lq_ort_distance(tensors, 0, 1, &reference[1 - picture]) < 0.05;
    }
    engine->request_free(request);
    return (void *)wrong;
}

static void run_side_by_side(int batch_max)
{
    const struct lq_engine_options options = {
        .precision = LQ_PRECISION_F32, .device = LQ_DEVICE_CPU, .tune = LQ_TUNE_THROUGHPUT,
        .batch_max = batch_max, .batch_wait_us = 50000, .shape_rank = 4, .shape = {1, 3, 96, 128}};
    struct lq_engine *opened;
    struct lq_request *requests[LQ_ORT_PICTURES];
    struct lq_tensors tensors[LQ_ORT_PICTURES];
    pthread_t threads[THREADS];
    assert_ok(engine_open(engine, &opened, "models/nail-f16.onnx", &options, &err));
    for (int i = 0; i < LQ_ORT_PICTURES; i++) {
        assert_ok(engine->request_new(&requests[i], opened, &err));
        tensors[i] = *engine->request_tensors(requests[i]);
        lq_ort_draw(&tensors[i], 0, 1, i);
        assert_ok(engine->run(requests[i], 0, &err));
    }
    reference = tensors;
    for (int i = 0; i < THREADS; i++)
        assert_ok(pthread_create(&threads[i], NULL, show, opened));
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    for (int i = 0; i < LQ_ORT_PICTURES; i++)
        engine->request_free(requests[i]);
    engine->close(opened);
}

static unsigned long long counter(const char *name)
{
    struct lq_buf text;
    unsigned long long value = 0;
    lq_buf_init(&text, 1 << 16);
    assert_ok(engine->print_metrics(&text));
    assert_ok(lq_buf_append(&text, "", 1));
    const char *at = strstr((const char *)text.data, name);
    at = at ? strstr(at + 1, name) : NULL; // past HELP …
    at = at ? strstr(at + 1, name) : NULL; // … and TYPE
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(name), " %llu", &value), 1);
    lq_buf_release(&text);
    return value;
}

static void threads_do_not_mix(void **state)
{
    (void)state;
    need_library();
    run_side_by_side(0);
}

static void batches_do_not_mix(void **state)
{
    (void)state;
    need_library();
    unsigned long long frames = counter("lacquer_onnxruntime_frames_total");
    unsigned long long runs = counter("lacquer_onnxruntime_runs_total");
    run_side_by_side(4);
    frames = counter("lacquer_onnxruntime_frames_total") - frames;
    runs = counter("lacquer_onnxruntime_runs_total") - runs;
    assert_int_equal(frames, LQ_ORT_PICTURES + THREADS * ROUNDS);
    assert_true(runs < frames);
}

// ---- what cannot be used

static void unreadable_parts_are_named(void **state)
{
    (void)state;
    need_library();
    struct lq_tensors tensors;
    struct lq_engine *opened;
    assert_int_equal(engine_describe(engine, "/no/such.onnx", &tensors, &err), LQ_ERR_MODEL);
    assert_string_equal(err.text, "cannot open model '/no/such.onnx': No such file or directory");
    assert_int_equal(engine_describe(engine, "models/nail.tflite", &tensors, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "lacquer convert"));
    assert_int_equal(engine_describe(engine, "models/nail.json", &tensors, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "is no model, or a damaged one"));
    const struct lq_engine_options half = {.precision = LQ_PRECISION_BF16};
    assert_int_equal(engine_open(engine, &opened, "models/nail-f16.onnx", &half, &err),
                     LQ_ERR_UNAVAILABLE);
    const struct lq_engine_options open = {.precision = LQ_PRECISION_F32};
    assert_int_equal(engine_open(engine, &opened, "tests/fixtures/tiny_map.onnx", &open, &err),
                     LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "the size of its input is open"));
    assert_null(opened);
}

static void its_absence_is_explained(void **state)
{
    (void)state;
    char text[512];
    probe_elsewhere(engine, "LACQUER_ONNXRUNTIME", "/nonexistent", text, sizeof text);
    assert_string_equal(text, "cannot load ONNX Runtime from LACQUER_ONNXRUNTIME='/nonexistent': "
                              "no such folder; name a folder that holds libonnxruntime.so.1");
    probe_elsewhere(engine, "LACQUER_ONNXRUNTIME", "models", text, sizeof text);
    assert_non_null(strstr(text, "not in there"));
}

// ---- the check of devices itself

static void wrong_answers_are_seen(void **state)
{
    (void)state;
    float values[8] = {0.1f, 0.9f, 0.2f, 0.8f, 0.1f, 0.9f, 0.2f, 0.8f};
    float others[4] = {0.1f, 0.9f, 0.2f, 0.8f};
    struct lq_tensors batch = {.output_count = 1, .outputs = {{.type = LQ_TENSOR_F32, .rank = 2,
                                                               .dims = {2, 4}, .data = values}}};
    struct lq_tensors one = {.output_count = 1, .outputs = {{.type = LQ_TENSOR_F32, .rank = 2,
                                                             .dims = {1, 4}, .data = others}}};
    assert_true(lq_ort_distance(&batch, 0, 2, &one) == 0);
    assert_true(lq_ort_distance(&batch, 1, 2, &one) == 0);
    values[5] = 0.4f;
    assert_true(lq_ort_distance(&batch, 0, 2, &one) == 0);
    assert_true(lq_ort_distance(&batch, 1, 2, &one) > 0.1);
    values[5] = NAN;
    assert_true(lq_ort_distance(&batch, 1, 2, &one) == HUGE_VAL);
    assert_true(lq_ort_distance(&batch, 0, 1, &one) == HUGE_VAL); // of another size
}

static const char *const *files;

static void files_answer_as_openvino(void **state)
{
    (void)state;
    const struct lq_engine_options options = {.precision = LQ_PRECISION_F32};
    assert_true(has_library);
    for (; *files; files++)
        compare(*files, &options);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_absence_is_explained),
        cmocka_unit_test(answers_as_openvino),
        cmocka_unit_test(threads_do_not_mix),
        cmocka_unit_test(batches_do_not_mix),
        cmocka_unit_test(unreadable_parts_are_named),
        cmocka_unit_test(wrong_answers_are_seen),
    };
    const struct CMUnitTest named[] = {cmocka_unit_test(files_answer_as_openvino)};
    files = (const char *const *)argv + 1;
    return argc > 1 ? cmocka_run_group_tests(named, find_library, NULL)
                    : cmocka_run_group_tests(tests, find_library, NULL);
}
