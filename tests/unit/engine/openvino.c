#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "engine/list.h"
#include "unit/engine/elsewhere.h"
#include "unit/engine_open.h"
#include "unit/unit.h"

static const struct lq_engine_ops *const openvino = &lq_engine_openvino;
static const char model[] = "models/nail.onnx";
static char folder[] = "/tmp/lacquer-openvino-XXXXXX";
static struct lq_error err;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

// Counts the files two levels below the folder; removing: also deletes them.
static int files_below(const char *path, bool removing)
{
    int count = 0;
    char inside[512];
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        struct stat info;
        if (stat(inside, &info) == 0 && S_ISDIR(info.st_mode)) {
            count += files_below(inside, removing);
        } else {
            count++;
            if (removing)
                unlink(inside);
        }
    }
    if (dir)
        closedir(dir);
    if (removing)
        rmdir(path);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    files_below(folder, true);
    return 0;
}

static void its_absence_is_explained(void **state)
{
    (void)state;
    char text[256];
    probe_elsewhere(openvino, "LACQUER_OPENVINO", "/nonexistent", text, sizeof text);
    assert_string_equal(text, "cannot load OpenVINO from LACQUER_OPENVINO='/nonexistent': No such "
                              "file or directory; name a folder that holds libopenvino_c.so");
    probe_elsewhere(openvino, "LACQUER_OPENVINO", folder, text, sizeof text);
    assert_non_null(strstr(text, "not in there"));
}

static void describes_without_compiling(void **state)
{
    (void)state;
    struct lq_tensors tensors;
    assert_ok(engine_describe(openvino, model, &tensors, &err));
    assert_int_equal(tensors.input_count, 1);
    assert_int_equal(tensors.output_count, 1);
    assert_string_equal(tensors.inputs[0].name, "image");
    assert_int_equal(tensors.inputs[0].rank, 4);
    assert_int_equal(tensors.inputs[0].dims[3], 384);
    assert_int_equal(tensors.outputs[0].type, LQ_TENSOR_F32);
    assert_null(tensors.outputs[0].data);
}

// A model that was read can be compiled any number of times, at different sizes, and may be
// released before the compiled models.
static void what_was_read_is_compiled_at_any_size(void **state)
{
    (void)state;
    static const int64_t sides[][2] = {{64, 96}, {96, 64}, {64, 96}};
    struct lq_engine_model *read;
    struct lq_engine *engines[LQ_COUNT(sides)];
    assert_ok(openvino->read(&read, &(struct lq_engine_source){.path = model}, &err));
    for (size_t i = 0; i < LQ_COUNT(sides); i++) {
        const struct lq_engine_options options = {.precision = LQ_PRECISION_F32, .shape_rank = 4,
                                                  .shape = {1, 3, sides[i][0], sides[i][1]}};
        assert_ok(openvino->compile(&engines[i], read, &options, &err));
        assert_int_equal(read->tensors.inputs[0].dims[3], 384); // … which stays as it was
    }
    openvino->forget(read);
    for (size_t i = 0; i < LQ_COUNT(sides); i++) {
        struct lq_request *request;
        assert_ok(openvino->request_new(&request, engines[i], &err));
        const struct lq_tensors *tensors = openvino->request_tensors(request);
        assert_int_equal(tensors->inputs[0].dims[2], sides[i][0]);
        assert_int_equal(tensors->inputs[0].dims[3], sides[i][1]);
        memset(tensors->inputs[0].data, 0, lq_tensor_bytes(&tensors->inputs[0]));
        assert_ok(openvino->run(request, 0, &err));
        openvino->request_free(request);
        openvino->close(engines[i]);
    }
    openvino->forget(NULL);
}

// The first compilation uses the model in memory and does not need the file any more.
static void a_model_is_read_once(void **state)
{
    (void)state;
    char path[128];
    struct lq_buf bytes;
    struct lq_engine_model *read;
    struct lq_engine *engine;
    const struct lq_engine_options options = {.precision = LQ_PRECISION_F32, .shape_rank = 4,
                                              .shape = {1, 3, 64, 96}};
    lq_buf_init(&bytes, 1 << 24);
    assert_ok(lq_file_read(model, &bytes, &err));
    snprintf(path, sizeof path, "%s/once.onnx", folder);
    assert_ok(lq_file_write(path, bytes.data, bytes.len, &err));
    lq_buf_release(&bytes);
    assert_ok(openvino->read(&read, &(struct lq_engine_source){.path = path}, &err));
    assert_ok(unlink(path));
    assert_ok(openvino->compile(&engine, read, &options, &err));
    openvino->close(engine);
    assert_int_equal(openvino->compile(&engine, read, &options, &err), LQ_ERR_MODEL);
    assert_null(engine);
    openvino->forget(read);
}

static void files_that_are_no_models(void **state)
{
    (void)state;
    struct lq_tensors tensors;
    char path[128];
    static const char *const endings[] = {"onnx", "tflite", "txt"};
    for (size_t i = 0; i < LQ_COUNT(endings); i++) {
        snprintf(path, sizeof path, "%s/bad.%s", folder, endings[i]);
        assert_ok(lq_file_write(path, "not a model", 11, &err));
        assert_int_equal(engine_describe(openvino, path, &tensors, &err), LQ_ERR_MODEL);
        assert_non_null(strstr(err.text, "is no model, or a damaged one"));
        assert_null(strstr(err.text, "Exception from"));
        assert_ok(unlink(path));
    }
    // A truncated model.
    struct lq_buf whole;
    lq_buf_init(&whole, 1 << 24);
    assert_ok(lq_file_read(model, &whole, &err));
    snprintf(path, sizeof path, "%s/cut.onnx", folder);
    assert_ok(lq_file_write(path, whole.data, whole.len / 2, &err));
    assert_int_equal(engine_describe(openvino, path, &tensors, &err), LQ_ERR_MODEL);
    assert_ok(unlink(path));
    lq_buf_release(&whole);
    assert_int_equal(engine_describe(openvino, "/no/such.onnx", &tensors, &err), LQ_ERR_MODEL);
    assert_string_equal(err.text, "cannot open model '/no/such.onnx': No such file or directory");
}

// Whether this processor computes a model in bf16; if not, opening must fail with that message.
static bool takes_bf16(const char *path)
{
    const struct lq_engine_options options = {.precision = LQ_PRECISION_BF16};
    struct lq_engine *engine;
    if (!lq_cpu_has_bf16())
        return false;
    int status = engine_open(openvino, &engine, path, &options, &err);
    if (status == LQ_OK) {
        openvino->close(engine);
        return true;
    }
    assert_int_equal(status, LQ_ERR_UNAVAILABLE);
    assert_null(engine);
    assert_non_null(strstr(err.text, "cannot compile in bf16 model"));
    return false;
}

// Opens at 96x64, runs a fixed pattern and copies the 48x32 output.
static void run_model(const char *path, enum lq_precision precision, const char *cache_dir,
                      float *answer)
{
    const struct lq_engine_options options = {.precision = precision, .cache_dir = cache_dir,
                                              .shape_rank = 4, .shape = {1, 3, 64, 96}};
    struct lq_engine *engine;
    struct lq_request *request;
    assert_ok(engine_open(openvino, &engine, path, &options, &err));
    assert_ok(openvino->request_new(&request, engine, &err));
    const struct lq_tensors *tensors = openvino->request_tensors(request);
    assert_int_equal(lq_tensor_count(&tensors->inputs[0]), 3 * 64 * 96);
    assert_int_equal(tensors->outputs[0].dims[2], 32);
    assert_int_equal(tensors->outputs[0].dims[3], 48);
    float *input = tensors->inputs[0].data;
    const void *output = tensors->outputs[0].data;
    assert_non_null(input);
    assert_non_null(output);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3 * 64 * 96; i++)
            input[i] = (float)(i * 31 % 97) / 97.0f;
        assert_ok(openvino->run(request, 0, &err));
        assert_ptr_equal(openvino->request_tensors(request)->outputs[0].data, output);
        memcpy(answer, output, 32 * 48 * sizeof(float));
    }
    openvino->request_free(request);
    openvino->close(engine);
}

static void run_once(enum lq_precision precision, const char *cache_dir, float *answer)
{
    run_model(model, precision, cache_dir, answer);
}

static void runs_at_another_size_and_keeps_what_it_compiled(void **state)
{
    (void)state;
    static float first[32 * 48], second[32 * 48];
    run_once(LQ_PRECISION_F32, folder, first);
    assert_int_equal(files_below(folder, false), 2); // the model and its seal
    for (int i = 0; i < 32 * 48; i++)
        assert_true(first[i] >= 0 && first[i] <= 1);
    run_once(LQ_PRECISION_F32, folder, second);
    assert_int_equal(files_below(folder, false), 2); // found, not made again
    for (int i = 0; i < 32 * 48; i++)
        assert_true(fabsf(first[i] - second[i]) < 1e-5f);
}

// Not every processor with bf16 can compute the int8 network in it (oneDNN has no AMX kernels for
// that); all can compute the float one.
static void each_precision_has_its_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"models/nail.onnx", "models/nail-f16.onnx"};
    static float full[32 * 48], half[32 * 48];
    char own[64];
    int tried = 0;
    snprintf(own, sizeof own, "%s-half", folder);
    assert_ok(mkdir(own, 0700));
    for (size_t i = 0; i < LQ_COUNT(paths); i++) {
        if (!takes_bf16(paths[i]))
            continue;
        run_model(paths[i], LQ_PRECISION_F32, own, full);
        int files = files_below(own, false);
        run_model(paths[i], LQ_PRECISION_BF16, own, half);
        assert_int_equal(files_below(own, false), files + 2);
        float worst = 0;
        for (int k = 0; k < 32 * 48; k++)
            worst = fmaxf(worst, fabsf(full[k] - half[k]));
        assert_true(worst > 0 && worst < 0.2f);
        tried++;
    }
    files_below(own, true);
    if (!tried)
        skip();
}

static void cut(const char *path, off_t size)
{
    assert_ok(truncate(path, size / 3));
}

static void spoil(const char *path, off_t size)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_ok(fseek(file, size / 2, SEEK_SET)); // among the weights
    for (int i = 0; i < 1000; i++)
        fputc(i * 7 % 251, file);
    fclose(file);
}

static void remove_seal(const char *path, off_t size)
{
    (void)size;
    char seal[520];
    snprintf(seal, sizeof seal, "%s.sum", path);
    assert_ok(unlink(seal));
}

static int damage_blobs_below(const char *path, void (*damage)(const char *path, off_t size))
{
    int count = 0;
    char inside[512];
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat info;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(inside, &info) != 0)
            continue;
        const char *ending = strrchr(entry->d_name, '.');
        if (S_ISDIR(info.st_mode)) {
            count += damage_blobs_below(inside, damage);
        } else if (ending && strcmp(ending, ".blob") == 0) {
            chmod(inside, 0600);
            damage(inside, info.st_size);
            count++;
        }
    }
    if (dir)
        closedir(dir);
    return count;
}

static void a_damaged_cache_is_rebuilt(void **state)
{
    (void)state;
    static float first[32 * 48], second[32 * 48];
    static void (*const damages[])(const char *path, off_t size) = {cut, spoil, remove_seal};
    run_once(LQ_PRECISION_F32, folder, first);
    bool half = takes_bf16(model);
    if (half)
        run_once(LQ_PRECISION_BF16, folder, second);
    int files = files_below(folder, false);
    for (size_t i = 0; i < LQ_COUNT(damages); i++) {
        assert_true(damage_blobs_below(folder, damages[i]) > 0);
        run_once(LQ_PRECISION_F32, folder, second);
        for (int k = 0; k < 32 * 48; k++)
            assert_true(fabsf(first[k] - second[k]) < 1e-5f);
        if (half)
            run_once(LQ_PRECISION_BF16, folder, second);
        assert_int_equal(files_below(folder, false), files); // whole and sealed again
    }
}

static void a_size_that_cannot_be(void **state)
{
    (void)state;
    const struct lq_engine_options options = {.shape_rank = 4, .shape = {1, 5, 64, 96}};
    struct lq_engine *engine;
    assert_int_equal(engine_open(openvino, &engine, model, &options, &err), LQ_ERR_MODEL);
    assert_null(engine);
    assert_non_null(strstr(err.text, "cannot reshape model 'models/nail.onnx': "));
    assert_null(strstr(err.text, "Exception from"));
}

int main(void)
{
    const struct CMUnitTest computing[] = { // depends on the processor (tests/isa.py)
        cmocka_unit_test(runs_at_another_size_and_keeps_what_it_compiled),
        cmocka_unit_test(each_precision_has_its_file),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_absence_is_explained), // before OpenVINO is loaded here
        cmocka_unit_test(describes_without_compiling),
        cmocka_unit_test(what_was_read_is_compiled_at_any_size),
        cmocka_unit_test(a_model_is_read_once),
        cmocka_unit_test(files_that_are_no_models),
        cmocka_unit_test(runs_at_another_size_and_keeps_what_it_compiled),
        cmocka_unit_test(each_precision_has_its_file),
        cmocka_unit_test(a_damaged_cache_is_rebuilt),
        cmocka_unit_test(a_size_that_cannot_be),
    };
    if (getenv("ONEDNN_MAX_CPU_ISA"))
        return cmocka_run_group_tests(computing, make_folder, remove_folder);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
