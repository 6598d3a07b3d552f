#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "unit/unit.h"

static struct lq_error err;
static const struct lq_model_options plain = {.no_landmarks = true};
static struct lq_model *nail;

static int open_nail(void **state)
{
    (void)state;
    return lq_model_open(&nail, "models/nail.onnx", &plain, &err);
}

static int close_nail(void **state)
{
    (void)state;
    lq_model_close(nail);
    return 0;
}

static void the_default_model(void **state)
{
    (void)state;
    const struct lq_model_info *info = lq_model_info(nail);
    assert_string_equal(info->name, "nail");
    assert_string_equal(info->engine, "openvino");
    assert_string_equal(info->path, "models/nail.onnx");
    assert_int_equal(info->head, LQ_HEAD_MASK);
    assert_int_equal(info->precision, LQ_PRECISION_F32);
    assert_true(info->channels_first && info->sidecar && !info->letterbox);
    assert_int_equal(info->size_count, 3);
    assert_true(info->score_min == 0.5f);
}

static struct lq_image grey(uint8_t *pixels, int width, int height)
{
    memset(pixels, 120, (size_t)width * (size_t)height * 3);
    return (struct lq_image){pixels, width, height, 3, 8, (size_t)width * 3};
}

static void pictures_go_to_the_size_nearest_in_shape(void **state)
{
    (void)state;
    static const struct {
        int width, height, grid_width, grid_height;
    } cases[] = {
        {640, 480, 192, 144}, {480, 640, 144, 192}, {500, 500, 160, 160}, {1280, 720, 192, 144},
        {720, 1280, 144, 192}, {110, 100, 160, 160}, {1, 1, 160, 160}, {2000, 3, 192, 144},
    };
    struct lq_runner *runner;
    assert_ok(lq_runner_new(&runner, nail, &err));
    uint8_t *pixels = malloc(1280 * 1280 * 3);
    assert_non_null(pixels);
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        const struct lq_image picture = grey(pixels, cases[i].width, cases[i].height);
        const struct lq_patch *patch;
        int count = 0;
        assert_ok(lq_runner_prepare(runner, &picture, true, &err));
        assert_ok(lq_runner_infer(runner, 0, &err));
        assert_ok(lq_runner_patches(runner, &patch, &count, &err));
        assert_int_equal(count, 1);
        assert_int_equal(patch->width, cases[i].grid_width);
        assert_int_equal(patch->height, cases[i].grid_height);
        // The grid covers the picture exactly.
        assert_true(fabsf(patch->dx * (float)patch->width - (float)picture.width) < 1e-2f);
        assert_true(fabsf(patch->y0 - patch->dy / 2) < 1e-3f);
    }
    free(pixels);
    lq_runner_free(runner);
}

static void steps_out_of_order(void **state)
{
    (void)state;
    struct lq_runner *runner;
    const struct lq_patch *patches;
    int count = 5;
    assert_ok(lq_runner_new(&runner, nail, &err));
    assert_int_equal(lq_runner_infer(runner, 0, &err), LQ_ERR_ARGUMENT);
    assert_int_equal(lq_runner_patches(runner, &patches, &count, &err), LQ_ERR_ARGUMENT);
    assert_int_equal(count, 0);
    uint8_t pixel[3] = {0};
    const struct lq_image empty = {pixel, 0, 1, 3, 8, 3};
    assert_int_equal(lq_runner_prepare(runner, &empty, true, &err), LQ_ERR_ARGUMENT);
    lq_runner_free(runner);
    lq_runner_free(NULL);
    lq_model_close(NULL);
    lq_model_leave(NULL);
}

static char folder[] = "/tmp/lacquer-model-XXXXXX", int8[64], float16[64];

// Links to both files of the default model, beside sidecars with one small size: these are opened
// in a third of the time.
static int make_small(void **state)
{
    (void)state;
    static const char sidecar[] = "{\"head\": \"mask\", \"sizes\": [[96, 64]]}";
    char json[64], model[512], root[400];
    if (!mkdtemp(folder) || !getcwd(root, sizeof root))
        return -1;
    for (int i = 0; i < 2; i++) {
        const char *stem = i ? "nail-f16" : "nail";
        char *link = i ? float16 : int8;
        snprintf(link, sizeof int8, "%s/%s.onnx", folder, stem);
        snprintf(json, sizeof json, "%s/%s.json", folder, stem);
        snprintf(model, sizeof model, "%s/models/%s.onnx", root, stem);
        if (symlink(model, link) != 0 || lq_file_write(json, sidecar, strlen(sidecar), &err))
            return -1;
    }
    return 0;
}

static int remove_small(void **state)
{
    (void)state;
    static const char *const names[] = {"nail.onnx", "nail.json", "nail-f16.onnx",
                                        "nail-f16.json"};
    char path[64];
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void precision_is_chosen(void **state)
{
    (void)state;
    struct lq_model_options options = {.precision = LQ_PRECISION_BF16, .no_landmarks = true};
    struct lq_model *model;
    if (!lq_cpu_has_bf16()) {
        assert_int_equal(lq_model_open(&model, int8, &options, &err), LQ_ERR_UNAVAILABLE);
        assert_non_null(strstr(err.text, "cannot run in bf16"));
    }
    // With AUTO the sidecar decides; the result is never AUTO.
    assert_ok(lq_model_open(&model, int8, &plain, &err));
    assert_int_not_equal(lq_model_info(model)->precision, LQ_PRECISION_AUTO);
    assert_true(lq_model_info(model)->precision == LQ_PRECISION_F32 || lq_cpu_has_bf16());
    lq_model_close(model);
    for (int asked = LQ_PRECISION_F32; asked <= LQ_PRECISION_BF16; asked++) {
        if (asked == LQ_PRECISION_BF16 && !lq_cpu_has_bf16())
            continue;
        options.precision = (enum lq_precision)asked;
        assert_ok(lq_model_open(&model, float16, &options, &err));
        // oneDNN may be limited to instructions without those that bf16 needs.
        if (!getenv("ONEDNN_MAX_CPU_ISA"))
            assert_int_equal(lq_model_info(model)->precision, asked);
        lq_model_close(model);
        // If the int8 network cannot be computed in bf16, it runs in f32, and the model reports it.
        assert_ok(lq_model_open(&model, int8, &options, &err));
        assert_true(lq_model_info(model)->precision == LQ_PRECISION_F32 ||
                    asked == LQ_PRECISION_BF16);
        lq_model_close(model);
    }
    // A recording has no sidecar that confirms its accuracy.
    assert_ok(lq_model_open(&model, "tests/fixtures/yolo_pixels.replay", &plain, &err));
    assert_int_equal(lq_model_info(model)->precision, LQ_PRECISION_F32);
    lq_model_close(model);
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    struct lq_model *model = nail;
    struct lq_model_options options = {.engine = "abacus", .no_landmarks = true};
    assert_int_equal(lq_model_open(&model, "models/nail.onnx", &options, &err), LQ_ERR_ARGUMENT);
    assert_null(model);
    assert_non_null(strstr(err.text, "unknown engine 'abacus'"));
    assert_int_equal(lq_model_open(&model, "no/such.onnx", &plain, &err), LQ_ERR_MODEL);
    assert_int_equal(lq_model_open(&model, "LICENSE", &plain, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "'LICENSE' is no model"));
    assert_int_equal(lq_model_open(&model, "tests/fixtures/tiny_scores.onnx", &plain, &err),
                     LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "unknown head: outputs scores f32 [1,5]; wanted a map"));
    options.engine = "replay";
    assert_int_equal(lq_model_open(&model, "models/nail.onnx", &options, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "it is no .replay file"));
}

// All dimensions open, two channels, logits: a model that classifies red pixels as nail.
static void open_dimensions_and_two_channels(void **state)
{
    (void)state;
    struct lq_model *model;
    struct lq_runner *runner;
    assert_ok(lq_model_open(&model, "tests/fixtures/tiny_map.onnx", &plain, &err));
    const struct lq_model_info *info = lq_model_info(model);
    assert_int_equal(info->tensors.inputs[0].dims[0], -1);
    assert_int_equal(info->tensors.inputs[0].dims[3], -1);
    assert_int_equal(info->size_count, 3);
    assert_false(info->sidecar);
    assert_ok(lq_runner_new(&runner, model, &err));
    // Red from x 100 to 200 and y 60 to 180, on a portrait picture.
    enum { WIDTH = 300, HEIGHT = 400 };
    uint8_t *pixels = malloc(WIDTH * HEIGHT * 3);
    assert_non_null(pixels);
    const struct lq_image picture = grey(pixels, WIDTH, HEIGHT);
    for (int y = 60; y < 180; y++)
        for (int x = 100; x < 200; x++)
            lq_image_row(&picture, y)[3 * x] = 255;
    const struct lq_patch *patch;
    int count = 0;
    assert_ok(lq_runner_prepare(runner, &picture, true, &err));
    assert_ok(lq_runner_infer(runner, 0, &err));
    assert_ok(lq_runner_patches(runner, &patch, &count, &err));
    assert_int_equal(patch->width, 288);
    assert_int_equal(patch->height, 384);
    for (int j = 0; j < patch->height; j++)
        for (int i = 0; i < patch->width; i++) {
            float x = patch->x0 + (float)i * patch->dx, y = patch->y0 + (float)j * patch->dy;
            float inside = fminf(fminf(x - 100, 200 - x), fminf(y - 60, 180 - y));
            float value = patch->data[j * patch->stride + i];
            if (inside > 2)
                assert_true(value > 0.99f);
            if (inside < -2)
                assert_true(value < 0.5f);
        }
    free(pixels);
    lq_runner_free(runner);
    lq_model_close(model);
}

// The graph of users' YOLOv8s-seg exports; the file is not part of the repository.
static void a_real_export(void **state)
{
    (void)state;
    static const char path[] = "../shared/model/yolov8s-seg-random-f16.tflite";
    if (access(path, R_OK) != 0) {
        print_message("skipped: %s is not here\n", path);
        skip();
    }
    struct lq_model *model;
    struct lq_runner *runner;
    const struct lq_model_options low = {.score_min = 0.001f, .nms_iou = 0.9f,
                                          .no_landmarks = true};
    assert_ok(lq_model_open(&model, path, &low, &err));
    const struct lq_model_info *info = lq_model_info(model);
    assert_int_equal(info->head, LQ_HEAD_YOLO_SEG);
    assert_true(!info->channels_first && info->letterbox && info->boxes_normalised);
    assert_int_equal(info->classes, 1);
    assert_int_equal(info->proto_channels, 32);
    assert_int_equal(info->sizes[0].width, 640);
    assert_ok(lq_runner_new(&runner, model, &err));
    uint8_t *pixels = malloc(320 * 240 * 3);
    const struct lq_image picture = grey(pixels, 320, 240);
    const struct lq_patch *patches;
    int count = 0;
    assert_ok(lq_runner_prepare(runner, &picture, true, &err));
    assert_ok(lq_runner_infer(runner, 0, &err));
    assert_ok(lq_runner_patches(runner, &patches, &count, &err));
    for (int i = 0; i < count; i++) {
        const struct lq_patch *p = &patches[i];
        assert_true(p->box.x >= 0 && p->box.y >= 0 && p->box.x + p->box.width <= 320.01f &&
                    p->box.y + p->box.height <= 240.01f);
        assert_true(p->width >= 1 && p->width <= 160 && p->height >= 1 && p->height <= 160);
        for (int k = 0; k < p->width * p->height; k++)
            assert_true(p->data[k] >= 0 && p->data[k] <= 1);
    }
    print_message("%d detections\n", count);
    free(pixels);
    lq_runner_free(runner);
    lq_model_close(model);
}

int main(void)
{
    // These depend on the processor; tests/isa.py runs only them.
    const struct CMUnitTest computing[] = {
        cmocka_unit_test_setup_teardown(precision_is_chosen, make_small, remove_small),
        cmocka_unit_test(a_real_export),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_model),
        cmocka_unit_test(pictures_go_to_the_size_nearest_in_shape),
        cmocka_unit_test(steps_out_of_order),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(open_dimensions_and_two_channels),
    };
    int failed = cmocka_run_group_tests(computing, NULL, NULL);
    if (getenv("ONEDNN_MAX_CPU_ISA"))
        return failed;
    return failed + cmocka_run_group_tests(tests, open_nail, close_nail);
}
