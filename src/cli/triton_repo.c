// lacquer triton-repo: writes a model repository for an NVIDIA Triton server.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/parse_json.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/model_options.h"
#include "cli/triton_config.h"
#include "cli/triton_folder.h"
#include "cli/triton_shapes.h"
#include "convert/amend.h"
#include "convert/convert.h"
#include "format/external_data.h"
#include "convert/half.h"
#include "convert/open_dims.h"
#include "convert/retype_input.h"
#include "engine/kserve.h"
#include "model/sidecar.h"

extern const char lq_triton_model_py[]; // triton_model.py

struct repository {
    const char *model, *out, *name;
    struct lq_triton_config config;
    enum lq_tensor_type input; // LQ_TENSOR_OTHER: not given
    int batch_max;
    bool gpu, plan, force;
    bool onnx;    // an ONNX model is served, as given or after conversion
    bool amended; // … after amendment, because the engine rejects it as it is
};

static void set_input(struct argp_state *state, void *input, char *word)
{
    static const char *const words[] = {"fp32", "fp16", "uint8", NULL};
    static const enum lq_tensor_type types[] = {LQ_TENSOR_F32, LQ_TENSOR_F16, LQ_TENSOR_U8};
    ((struct repository *)input)->input = types[lq_cli_word(state, "input", word, words)];
}

static void set_tensorrt(struct argp_state *state, void *input, char *word)
{
    static const char *const precisions[] = {"fp32", "fp16", "int8", NULL};
    struct lq_triton_config *config = &((struct repository *)input)->config;
    config->precision =
        (enum lq_triton_precision)lq_cli_word(state, "tensorrt", word, precisions);
    config->tensorrt = true;
}

static void set_tensorrt_version(struct argp_state *state, void *input, char *word)
{
    struct lq_triton_config *config = &((struct repository *)input)->config;
    config->typed = strcmp(word, "11") == 0;
    if (!config->typed && strcmp(word, "10") != 0)
        argp_error(state, "--tensorrt-version wants 10 or 11, not '%s'", word);
}

static const struct lq_cli_option options[] = {
    {"model", "FILE", "The model, .onnx or .tflite (default: Lacquer's own)", 1,
     LQ_CLI_TAKE_TEXT(struct repository, model), .letter = 'm'},
    {"out", "DIR", "The repository, in which the model's folder is made", 1,
     LQ_CLI_TAKE_TEXT(struct repository, out)},
    {"name", "NAME", "The model's name on the server (default: its file's name)", 1,
     LQ_CLI_TAKE_TEXT(struct repository, name)},
    {"instances", "N", "Instances of the model that run at once (default 1)", 1,
     LQ_CLI_TAKE_INTEGER(struct repository, config.instances, 1, 256)},
    {"max-batch", "N", "Largest batch; 0: none (default 8)", 1,
     LQ_CLI_TAKE_INTEGER(struct repository, batch_max, 0, 1024)},
    {"queue-delay", "MICROSECONDS",
     "How long a frame may wait for others to share its batch (default 500)", 1,
     LQ_CLI_TAKE_INTEGER(struct repository, config.queue_delay_us, 0, 1000000)},
    {"input", "fp32|fp16|uint8",
     "Data type of the pictures sent to the model (default uint8, a quarter of fp32's bytes; with "
     "TensorRT fp32, which every version of TensorRT accepts)", 1, LQ_CLI_TAKE_CALL(set_input)},
    {"gpu", NULL,
     "Run the model in ONNX Runtime on a GPU (default: in OpenVINO, by Triton's python "
     "backend)", 1, LQ_CLI_TAKE_ON(struct repository, gpu)},
    {"tensorrt", "fp32|fp16|int8", "Run the model with TensorRT in this precision", 1,
     LQ_CLI_TAKE_CALL(set_tensorrt)},
    {"tensorrt-version", "10|11",
     "TensorRT's version: 10 in Triton's containers up to 26.05 (default), 11 from 26.06 on", 1,
     LQ_CLI_TAKE_CALL(set_tensorrt_version)},
    {"plan", NULL,
     "Prepare the folder for a TensorRT engine, and print the trtexec command that builds it", 1,
     LQ_CLI_TAKE_ON(struct repository, plan)},
    {"force", NULL, "Replace an existing model", 1, LQ_CLI_TAKE_ON(struct repository, force)},
    {0}};

static void check(struct argp_state *state, void *input)
{
    struct repository *repository = input;
    struct lq_triton_config *config = &repository->config;
    if (!repository->out)
        argp_error(state, "--out is missing: the folder of the repository");
    if (repository->plan)
        config->platform = LQ_TRITON_PLAN;
    else if (repository->gpu || config->tensorrt)
        config->platform = LQ_TRITON_ONNX;
    if (repository->input == LQ_TENSOR_OTHER)
        repository->input =
            config->tensorrt || repository->plan ? LQ_TENSOR_F32 : LQ_TENSOR_U8;
}

// TensorRT uses int8 only where the model has scales; without any it would silently run in floating
// point.
static int check_scales(const struct lq_triton_config *config, const struct lq_buf *model,
                        struct lq_error *err)
{
    enum lq_onnx_scales scales = LQ_ONNX_SCALES_SYMMETRIC;
    if (config->precision == LQ_TRITON_INT8 && config->tensorrt) {
        int status = lq_onnx_find_scales(model->data, model->len, &scales, err);
        if (status != LQ_OK)
            return status;
    }
    if (scales == LQ_ONNX_SCALES_NONE)
        return lq_fail(err, LQ_ERR_MODEL, "int8 needs a model with scales (QuantizeLinear): "
                       "quantise it first, as with onnxruntime.quantization.quantize_static in QDQ "
                       "format with symmetric int8, or take --tensorrt fp16");
    if (scales == LQ_ONNX_SCALES_OTHER)
        return lq_fail(err, LQ_ERR_MODEL, "TensorRT accepts only scales of signed bytes with a "
                                          "zero point of 0, and this model has others: quantise it "
                                          "symmetrically to int8, or take --tensorrt fp16");
    return LQ_OK;
}

// ---- writing

static int write_text(const char *folder, const char *name, const void *text, size_t len,
                      struct lq_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", folder);
    return lq_file_write(path, text, len, err);
}

// The sidecar's JSON on one line, which the caller frees; NULL if there is no sidecar. The sidecar
// reader has already accepted it.
static int sidecar_line(const char *model, char **line, struct lq_error *err)
{
    char path[4096];
    *line = NULL;
    if (!lq_sidecar_path(model, path, sizeof path) || access(path, F_OK) != 0)
        return LQ_OK;
    struct lq_buf file;
    lq_buf_init(&file, LQ_SIDECAR_BYTES_MAX);
    int status = lq_file_read(path, &file, err);
    if (status == LQ_OK) {
        json_error_t where;
        json_t *root = lq_json_parse(file.data, file.len, 0, &where);
        *line = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(root);
        if (!*line)
            status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.120s'", path);
    }
    lq_buf_release(&file);
    return status;
}

static int write_config(const struct repository *repository, const char *folder,
                        struct lq_error *err)
{
    struct lq_triton_config config = repository->config;
    struct lq_buf text;
    lq_buf_init(&text, LQ_SIDECAR_BYTES_MAX * 4);
    char *sidecar;
    int status = sidecar_line(repository->model, &sidecar, err);
    config.sidecar = sidecar;
    if (status == LQ_OK) {
        status = lq_triton_config_print(&config, &text);
        if (status != LQ_OK)
            lq_fail(err, status, "cannot write the configuration of '%.100s'", repository->model);
    }
    if (status == LQ_OK)
        status = write_text(folder, "config.pbtxt", text.data, text.len, err);
    free(sidecar);
    lq_buf_release(&text);
    return status;
}

// Includes weights stored beside the file.
static int read_onnx(const char *path, struct lq_buf *file, struct lq_buf *out,
                     struct lq_error *err)
{
    int status = lq_file_read(path, file, err);
    if (status != LQ_OK)
        return status;
    if (lq_onnx_has_external(file->data, file->len))
        return lq_onnx_embed(file->data, file->len, path, out, err);
    return lq_buf_append(out, file->data, file->len) == LQ_OK
               ? LQ_OK
               : lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.120s'", path);
}

static int read_converted(const struct repository *repository, struct lq_buf *file,
                          struct lq_buf *out, struct lq_error *err)
{
    // Servers are sent real values, not quantised ones.
    struct lq_convert_options how = {.name = repository->config.name, .real_edges = true};
    struct lq_convert_summary summary;
    int status = lq_file_read(repository->model, file, err);
    if (status == LQ_OK) {
        status = lq_convert(file->data, file->len, &how, out, &summary, err);
        if (status != LQ_OK)
            lq_fail_within(err, "cannot convert '%.80s'", repository->model);
    }
    return status;
}

// Reads the model's bytes: ONNX for a GPU, else the given file.
static int read_file(const struct repository *repository, struct lq_buf *out, struct lq_error *err)
{
    if (!repository->onnx)
        return lq_file_read(repository->model, out, err);
    struct lq_buf file, whole;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&whole, LQ_MODEL_BYTES_MAX);
    bool tflite = lq_ends_with(repository->model, ".tflite");
    bool amend = repository->amended && !tflite;
    int status = tflite ? read_converted(repository, &file, out, err)
                        : read_onnx(repository->model, &file, amend ? &whole : out, err);
    if (status == LQ_OK && amend)
        status = lq_onnx_amend(whole.data, whole.len, out, err);
    lq_buf_release(&file);
    lq_buf_release(&whole);
    return status;
}

// Reads the model's bytes as they will be served. TensorRT 11 takes half precision only from the
// model itself.
static int read_model(const struct repository *repository, struct lq_buf *out, struct lq_error *err)
{
    const struct lq_triton_config *config = &repository->config;
    int status = read_file(repository, out, err);
    if (status == LQ_OK)
        status = check_scales(config, out, err);
    if (status != LQ_OK || !config->typed || config->precision != LQ_TRITON_FP16)
        return status;
    struct lq_buf half;
    lq_buf_init(&half, LQ_MODEL_BYTES_MAX);
    status = lq_onnx_to_half(out->data, out->len, &half, err);
    lq_buf_clear(out);
    if (status == LQ_OK && lq_buf_append(out, half.data, half.len) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", repository->model);
    lq_buf_release(&half);
    return status;
}

// GPU engines enforce the shapes and the input type written in the model: marks open dimensions as
// open, and changes the input's type.
static int adapt_onnx(struct lq_triton_config *config, const char *path,
                      const struct lq_input_format *format, struct lq_error *err)
{
    struct lq_buf model, opened;
    lq_buf_init(&model, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&opened, LQ_MODEL_BYTES_MAX);
    int status = lq_file_read(path, &model, err);
    if (status == LQ_OK)
        status = lq_onnx_open_dims(model.data, model.len, &config->tensors, &opened, err);
    const struct lq_buf *made = &opened;
    if (status == LQ_OK && format->type != LQ_TENSOR_F32) {
        status = lq_onnx_retype_input(opened.data, opened.len, &config->tensors.inputs[0], format,
                                      &model, err);
        made = &model;
    }
    if (status == LQ_OK)
        status = lq_file_write(path, made->data, made->len, err);
    lq_buf_release(&model);
    lq_buf_release(&opened);
    return status;
}

// Adapts the written model to the inputs that will be sent; model.py needs no adaptation.
static int adapt(struct repository *repository, const char *path, struct lq_error *err)
{
    struct lq_triton_config *config = &repository->config;
    struct lq_sidecar sidecar;
    int status = lq_sidecar_read(&sidecar, repository->model, err);
    if (status != LQ_OK)
        return status;
    if (config->platform == LQ_TRITON_PYTHON) {
        config->tensors.inputs[0].type = repository->input;
        return LQ_OK;
    }
    struct lq_input_format format = {repository->input,
                                     {.channels_first = config->channels_first}};
    memcpy(format.pixels.mean, sidecar.mean, sizeof format.pixels.mean);
    memcpy(format.pixels.std, sidecar.std, sizeof format.pixels.std);
    return adapt_onnx(config, path, &format, err);
}

// Writes the model to where Triton looks for it, or beside that if an engine must still be built
// from it.
static int write_model(struct repository *repository, struct lq_triton_folder *folder,
                       struct lq_error *err)
{
    struct lq_triton_config *config = &repository->config;
    bool python = config->platform == LQ_TRITON_PYTHON;
    const char *ending = repository->onnx ? "onnx" : "tflite";
    char path[4096];
    struct lq_buf model;
    lq_buf_init(&model, LQ_MODEL_BYTES_MAX);
    // Read the model first: no folder is created for one that cannot be read.
    int status = read_model(repository, &model, err);
    if (status == LQ_OK)
        status = lq_triton_folder_make(folder, err);
    snprintf(path, sizeof path, "%s/model.%s",
             config->platform == LQ_TRITON_PLAN ? folder->written : folder->version, ending);
    if (status == LQ_OK)
        status = lq_file_write(path, model.data, model.len, err);
    lq_buf_release(&model);
    if (status == LQ_OK && python)
        status = write_text(folder->version, "model.py", lq_triton_model_py,
                            strlen(lq_triton_model_py), err);
    if (status == LQ_OK)
        status = lq_triton_find_shapes(config, repository->model, path, repository->batch_max, err);
    if (status == LQ_OK && config->platform == LQ_TRITON_PLAN &&
        !lq_triton_config_can_trtexec(config))
        status = lq_fail(err, LQ_ERR_MODEL, "trtexec cannot take the input name '%.60s': rename it "
                                            "to letters and "
                                            "digits", config->tensors.inputs[0].name);
    return status == LQ_OK ? adapt(repository, path, err) : status;
}

// Prints the command to run in the engine's folder, with the folder's name quoted for the shell.
static void print_command(const char *folder, const struct lq_buf *line)
{
    printf("cd '");
    for (; *folder; folder++)
        printf(*folder == '\'' ? "'\\''" : "%c", *folder);
    printf("' && %.*s\n", (int)line->len, (const char *)line->data);
}

// Prints which Triton containers can serve this repository, depending on the GPU.
static void print_containers(const struct lq_triton_config *config)
{
    if (!config->tensorrt && config->platform != LQ_TRITON_PLAN)
        return;
    if (config->typed)
        fprintf(stderr, "for TensorRT 11: nvcr.io/nvidia/tritonserver 26.06 or later (Turing to "
                        "Blackwell GPUs)\n");
    else
        fprintf(stderr, "for TensorRT 10: nvcr.io/nvidia/tritonserver 25.01 to 26.05 (Turing to "
                        "Blackwell GPUs), 24.08 for Volta; from 26.06 on give --tensorrt-version "
                        "11\n");
}

static int print_next_steps(const struct repository *repository, const char *folder,
                            struct lq_error *err)
{
    const struct lq_triton_config *config = &repository->config;
    printf("%s\n", folder);
    if (repository->batch_max > 0 && config->batch_max == 0)
        fprintf(stderr, "no batches: the model's graph holds one frame at a time\n");
    print_containers(config);
    if (config->platform != LQ_TRITON_PLAN)
        return LQ_OK;
    struct lq_buf line;
    lq_buf_init(&line, 4096);
    int status = lq_triton_config_print_trtexec(config, &line);
    if (status == LQ_OK)
        print_command(folder, &line);
    lq_buf_release(&line);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "cannot write the trtexec command");
}

// Names missing external weights before an engine looks for them.
static int check_weights(const char *path, struct lq_error *err)
{
    struct lq_buf file, whole;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&whole, LQ_MODEL_BYTES_MAX);
    int status = lq_ends_with(path, ".onnx") ? read_onnx(path, &file, &whole, err) : LQ_OK;
    lq_buf_release(&file);
    lq_buf_release(&whole);
    return status;
}

static int write_repository(struct repository *repository, struct lq_error *err)
{
    char stem[LQ_TENSOR_NAME_MAX];
    const char *slash = strrchr(repository->model, '/');
    const char *base = slash ? slash + 1 : repository->model;
    snprintf(stem, sizeof stem, "%.*s", (int)strcspn(base, "."), base);
    struct lq_triton_config *config = &repository->config;
    config->name = repository->name ? repository->name : stem;
    if (!lq_kserve_name_is_plain(config->name))
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "'%.60s' is no model name of letters, digits, '_', '-', '.': give --name",
                       config->name);
    if (!lq_ends_with(base, ".onnx") && !lq_ends_with(base, ".tflite"))
        return lq_fail(err, LQ_ERR_MODEL, "'%.100s' is neither .onnx nor .tflite",
                       repository->model);
    struct lq_triton_folder folder;
    int status = lq_triton_folder_init(&folder, repository->out, config->name, repository->force,
                                       err);
    if (status == LQ_OK)
        status = check_weights(repository->model, err);
    if (status == LQ_OK)
        status = lq_triton_find_sizes(config, repository->model, &repository->onnx,
                                      &repository->amended, err);
    if (status == LQ_OK)
        status = write_model(repository, &folder, err);
    if (status == LQ_OK)
        status = write_config(repository, folder.written, err);
    if (status == LQ_OK)
        status = lq_triton_folder_keep(&folder, repository->force, err);
    lq_triton_folder_release(&folder);
    return status == LQ_OK ? print_next_steps(repository, folder.path, err) : status;
}

// A processor runs the default model, a GPU the same network in floating point; both have the same
// name.
static void use_own_model(struct repository *repository)
{
    bool gpu = repository->config.platform != LQ_TRITON_PYTHON;
    repository->model = gpu ? lq_model_float_path() : lq_model_default_path();
    repository->name = repository->name ? repository->name : "nail";
}

static int run_command(int argc, char **argv)
{
    struct repository repository = {.input = LQ_TENSOR_OTHER, .batch_max = 8,
                                  .config = {.instances = 1, .queue_delay_us = 500}};
    struct lq_error err;
    lq_cli_parse(&lq_triton_repo_command.line, argc, argv, &repository);
    if (!repository.model)
        use_own_model(&repository);
    return write_repository(&repository, &err) == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

const struct lq_command lq_triton_repo_command = {
    "triton-repo", "write a model repository for NVIDIA Triton", run_command,
    {.options = options, .check = check,
     .doc = "Writes a model repository for NVIDIA Triton: the model, its configuration and, "
            "without --gpu, the code that runs it on the processor. docs/TRITON.md explains "
            "how to serve it."}};
