#include "cli/model_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/trust.h"
#include "cli/model_check.h"
#include "cli/number.h"
#include "cli/onednn.h"
#include "convert/amend.h"
#include "convert/convert.h"
#include "format/external_data.h"
#include "format/tflite.h"
#include "engine/batcher.h"
#include "model/sidecar.h"

static bool is_nvidia(enum lq_device device)
{
    return device == LQ_DEVICE_CUDA || device == LQ_DEVICE_TENSORRT;
}

// `--engine tensorrt` and `--device tensorrt` mean the same.
static void settle_device(struct argp_state *state, struct lq_model_options *chosen)
{
    for (int device = LQ_DEVICE_CUDA; device <= LQ_DEVICE_TENSORRT; device++)
        if (chosen->engine && strcmp(chosen->engine, lq_device_name((enum lq_device)device)) == 0) {
            chosen->engine = "onnxruntime";
            if (chosen->device == LQ_DEVICE_AUTO)
                chosen->device = (enum lq_device)device;
        }
    if (is_nvidia(chosen->device) && !chosen->engine)
        chosen->engine = "onnxruntime";
    if (is_nvidia(chosen->device) && strcmp(chosen->engine, "onnxruntime") != 0)
        argp_error(state, "--device %s works only with onnxruntime: leave --engine %s out",
                   lq_device_name(chosen->device), chosen->engine);
}

static void set_batch_wait(struct argp_state *state, void *input, char *text)
{
    struct lq_cli_model *model = input;
    model->options.batch_wait_us = (int)(1000 * lq_cli_number(state, "batch-wait", text, 0.001,
                                                              1000));
}

static void set_tune(struct argp_state *state, void *input, char *word)
{
    static const char *const tunes[] = {"latency", "throughput", "both", NULL};
    struct lq_cli_model *model = input;
    model->options.tune = (enum lq_tune)lq_cli_word(state, "tune", word, tunes);
    model->tune_named = true;
}

static void set_cache(struct argp_state *state, void *input, char *dir)
{
    (void)state;
    ((struct lq_cli_model *)input)->options.cache_dir = strcmp(dir, "none") == 0 ? NULL : dir;
}

static void add_triton_url(struct argp_state *state, void *input, char *url)
{
    struct lq_remote_options *remote = &((struct lq_cli_model *)input)->options.remote;
    if (remote->url_count == LQ_REMOTE_URLS_MAX)
        argp_error(state, "--triton-url may be given %d times", LQ_REMOTE_URLS_MAX);
    else
        remote->urls[remote->url_count++] = url;
}

static void set_triton_version(struct argp_state *state, void *input, char *text)
{
    lq_cli_integer(state, "triton-version", text, 1, LONG_MAX);
    ((struct lq_cli_model *)input)->options.remote.version = text;
}

static void set_fallback(struct argp_state *state, void *input, char *engine)
{
    if (strcmp(engine, "triton") == 0)
        argp_error(state, "--fallback wants an engine of this process: openvino or onnxruntime");
    ((struct lq_cli_model *)input)->options.remote.fallback = engine;
}

static const char *const precisions[] = {"auto", "f32", "bf16", "f16", NULL};
static const char *const memories[] = {"auto", "off", "on", NULL};
static const char *const devices[] = {"auto", "cpu", "gpu", "cuda", "tensorrt", NULL};

static const struct lq_cli_option options[] = {
    {NULL, NULL, "Model and engine:", 10},
    {"model", "FILE", "Model that finds the nails, .onnx or .tflite (default: Lacquer's own)", 10,
     LQ_CLI_TAKE_TEXT(struct lq_cli_model, path), .letter = 'm'},
    {"engine", "NAME",
     "Inference engine; `lacquer engines` lists them. `tensorrt` and `cuda` mean onnxruntime on "
     "that --device", 10, LQ_CLI_TAKE_TEXT(struct lq_cli_model, options.engine)},
    {"device", "auto|cpu|gpu|cuda|tensorrt",
     "Device that runs the network (docs/ENGINES.md): an NVIDIA GPU with TensorRT or CUDA "
     "(onnxruntime), an Intel GPU (openvino: gpu), or the processor, which also replaces a GPU "
     "that cannot be used", 10, LQ_CLI_TAKE_WORD(struct lq_cli_model, options.device, devices)},
    {"batch", "N",
     "Largest batch of frames from several sessions with onnxruntime (default 8 on a GPU, 1 on the "
     "processor)", 10,
     LQ_CLI_TAKE_INTEGER(struct lq_cli_model, options.batch_max, 1, LQ_BATCH_MAX)},
    {"batch-wait", "MS", "Longest wait of a batch's first frame for others (default 2)", 10,
     LQ_CLI_TAKE_CALL(set_batch_wait)},
    {"precision", "f32|bf16|f16|auto",
     "Numeric precision (default auto: the result of `lacquer tune`, otherwise bf16 if the model "
     "was checked with it and it is faster here)", 10,
     LQ_CLI_TAKE_WORD(struct lq_cli_model, options.precision, precisions)},
    {"tune", "latency|throughput|both",
     "Optimise for one frame at a time, for many in parallel, or switch by load (default latency; "
     "for `serve` both)", 10, LQ_CLI_TAKE_CALL(set_tune)},
    {"threads", "N", "Threads for inference (default: all cores)", 10,
     LQ_CLI_TAKE_INTEGER(struct lq_cli_model, options.threads, 1, 1024)},
    {"score", "0..1",
     "Least confidence of a detection (default 0.25), or a mask's threshold (default 0.5)", 10,
     LQ_CLI_TAKE_NUMBER(struct lq_cli_model, options.score_min, 0.001, 1)},
    {"nms", "0..1", "Overlap at which two detections are one (default 0.45)", 10,
     LQ_CLI_TAKE_NUMBER(struct lq_cli_model, options.nms_iou, 0.001, 1)},
    {"cache-dir", "DIR",
     "Folder for compiled models (default ~/.cache/lacquer; `none` stores none)", 10,
     LQ_CLI_TAKE_CALL(set_cache)},
    {"no-hands", NULL,
     "Estimate which way nails point from their appearance only, without hand landmarks", 10,
     LQ_CLI_TAKE_ON(struct lq_cli_model, options.no_landmarks)},
    {NULL, NULL, "Models on NVIDIA Triton (docs/TRITON.md):", 20},
    {"triton-url", "URL",
     "HOST:PORT of a server, or http://… or https://…; implies --engine triton; may be given again "
     "(8 at most)", 20, LQ_CLI_TAKE_CALL(add_triton_url)},
    {"triton-model", "NAME",
     "The model's name on the server (default: the name of --model's file). Without --model, any "
     "model of the server", 20, LQ_CLI_TAKE_TEXT(struct lq_cli_model, options.remote.model)},
    {"triton-version", "N", "The model's version (default: the server's choice)", 20,
     LQ_CLI_TAKE_CALL(set_triton_version)},
    {"triton-timeout", "MS",
     "Timeout of one request (default 1000; 10000 for servers that speak JSON only)", 20,
     LQ_CLI_TAKE_INTEGER(struct lq_cli_model, options.remote.timeout_ms, 1, 600000)},
    {"triton-shm", "auto|off|on",
     "Send frames through shared memory (default auto: to servers on this host)", 20,
     LQ_CLI_TAKE_WORD(struct lq_cli_model, options.remote.memory, memories)},
    {"fallback", "ENGINE",
     "Run --model's file in this engine, openvino or onnxruntime, while no server can run "
     "frames", 20, LQ_CLI_TAKE_CALL(set_fallback)},
    {0}};

static void check(struct argp_state *state, void *input)
{
    struct lq_model_options *chosen = &((struct lq_cli_model *)input)->options;
    const struct lq_remote_options *remote = &chosen->remote;
    if (remote->url_count > 0 && !chosen->engine)
        chosen->engine = "triton";
    if (remote->url_count == 0 && remote->fallback)
        argp_error(state, "--fallback stands in for Triton: --triton-url is missing");
    settle_device(state, chosen);
}

const struct lq_cli_spec lq_cli_model_spec = {.options = options, .check = check};

static void choose_cache(struct lq_cli_model *model)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int size = -1;
    if (cache && cache[0] == '/')
        size = snprintf(model->cache_dir, sizeof model->cache_dir, "%s/lacquer", cache);
    else if (home && home[0] == '/')
        size = snprintf(model->cache_dir, sizeof model->cache_dir, "%s/.cache/lacquer", home);
    if (size > 0 && (size_t)size < sizeof model->cache_dir)
        model->options.cache_dir = model->cache_dir;
}

void lq_cli_model_init(struct lq_cli_model *model)
{
    *model = (struct lq_cli_model){0};
    choose_cache(model);
}

// A compiled model is code, so it is not read from a folder to which other users can write. Logged
// once.
static bool is_own(const char *dir, unsigned flags)
{
    static bool said;
    struct lq_error why;
    int status = lq_trust_path(dir, geteuid(), flags, &why);
    if (status != LQ_OK && !said) {
        lq_log_warn("compiled models are not kept: %s; name a folder of your own with --cache-dir",
                    why.text);
        said = true;
    }
    return status == LQ_OK;
}

// Creates the default cache folder. Lacquer also works without one, but starts more slowly.
static const char *usable_cache(const char *dir)
{
    if (!dir || !is_own(dir, LQ_TRUST_MISSING))
        return NULL;
    char parent[512];
    snprintf(parent, sizeof parent, "%s", dir);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = 0;
        mkdir(parent, 0700);
    }
    mkdir(dir, 0700);
    return access(dir, W_OK) == 0 && is_own(dir, 0) ? dir : NULL;
}

const char *lq_cli_model_cache(struct lq_cli_model *model)
{
    // No folder was given: HOME may have changed since the options were read (--user).
    if (model->options.cache_dir == model->cache_dir)
        choose_cache(model);
    return usable_cache(model->options.cache_dir);
}

static int amend_onnx(const char *path, const struct lq_buf *model, struct lq_buf *out,
                      struct lq_error *err)
{
    if (!lq_onnx_has_external(model->data, model->len))
        return lq_onnx_amend(model->data, model->len, out, err);
    struct lq_buf whole; // with its weights, which could not be found from the amended file's path
    lq_buf_init(&whole, INT32_MAX);
    int status = lq_onnx_embed(model->data, model->len, path, &whole, err);
    if (status == LQ_OK)
        status = lq_onnx_amend(whole.data, whole.len, out, err);
    lq_buf_release(&whole);
    return status;
}

// Writes the converted .tflite, or the amended ONNX model, to an unnamed file that the engine reads
// as `path`. Returns its descriptor, which the caller closes; negative on failure.
static int convert_unnamed(struct lq_cli_model *config, const char *model, char path[32],
                           struct lq_error *err)
{
    struct lq_buf in, out;
    struct lq_convert_summary summary;
    const struct lq_convert_options how = {.name = "converted", .real_edges = true};
    lq_buf_init(&in, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&out, INT32_MAX);
    int fd = -1, status = lq_file_read(model, &in, err);
    if (status == LQ_OK)
        status = lq_tflite_is(in.data, in.len)
                     ? lq_convert(in.data, in.len, &how, &out, &summary, err)
                     : amend_onnx(model, &in, &out, err);
    lq_buf_release(&in);
    if (status == LQ_OK) {
        fd = config->has_memory ? config->memory_fd : memfd_create("converted.onnx", MFD_CLOEXEC);
        config->has_memory = false;
        snprintf(path, 32, "/proc/self/fd/%d", fd);
        // The process that tried the model has already written to it.
        if (fd < 0 || ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
            lq_file_write_fd(fd, out.data, out.len) != LQ_OK)
            status = lq_fail(err, LQ_ERR_IO, "no file in memory: %s", strerror(errno));
    }
    lq_buf_release(&out);
    if (status == LQ_OK)
        return fd;
    if (fd >= 0)
        close(fd);
    lq_fail_within(err, "cannot convert '%.100s'", model);
    return status;
}

bool lq_cli_model_on_nvidia(const struct lq_cli_model *config)
{
    const char *engine = config->options.engine;
    return engine && strcmp(engine, "onnxruntime") == 0 &&
           config->options.device != LQ_DEVICE_CPU &&
           (access("/dev/nvidiactl", F_OK) == 0 || access("/dev/dxg", F_OK) == 0);
}

void lq_cli_model_find_float(struct lq_cli_model *model)
{
    struct lq_sidecar sidecar;
    struct lq_error why;
    model->float_path[0] = '\0';
    if (!model->path || lq_sidecar_read(&sidecar, model->path, &why) != LQ_OK ||
        !sidecar.float_model[0])
        return;
    const char *slash = strrchr(model->path, '/');
    int folder = slash ? (int)(slash + 1 - model->path) : 0;
    int len = snprintf(model->float_path, sizeof model->float_path, "%.*s%s", folder, model->path,
                       sidecar.float_model);
    if (len >= (int)sizeof model->float_path || access(model->float_path, R_OK) != 0)
        model->float_path[0] = '\0';
}

const char *lq_cli_model_own(const struct lq_cli_model *config)
{
    return lq_cli_model_on_nvidia(config) ? lq_model_float_path() : lq_model_default_path();
}

int lq_cli_model_open_tried(struct lq_cli_model *config, struct lq_model **model,
                            struct lq_error *err)
{
    struct lq_model_options chosen = config->options;
    const char *path = config->path ? config->path : lq_cli_model_own(config);
    struct lq_remote_options *remote = &chosen.remote;
    // The server's own model: none of our model's settings apply to it.
    if (remote->model && !config->path && !remote->fallback) {
        remote->no_file = true;
        path = remote->model;
    }
    char stem[LQ_TENSOR_NAME_MAX], unnamed[32];
    if (!remote->model) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        snprintf(stem, sizeof stem, "%.*s", (int)strcspn(base, "."), base);
        remote->model = stem;
    }
    chosen.cache_dir = lq_cli_model_cache(config);
    lq_cli_limit_onednn(path);
    if (!config->converted)
        return lq_model_open(model, path, &chosen, err);
    int fd = convert_unnamed(config, path, unnamed, err);
    if (fd < 0)
        return fd;
    chosen.source = path;
    int status = lq_model_open(model, unnamed, &chosen, err);
    close(fd); // the engine has mapped or copied what it needs
    return status;
}

int lq_cli_model_open(struct lq_cli_model *config, struct lq_model **model, struct lq_error *err)
{
    int status = lq_cli_model_check(config, NULL, NULL, err);
    return status == LQ_OK ? lq_cli_model_open_tried(config, model, err) : status;
}
