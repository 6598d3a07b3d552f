#include "cli/model_check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/child.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/onnxruntime_load.h"
#include "engine/verdict.h"
#include "model/trial.h"

// A large model takes seconds on a small processor, and a minute or two on an emulated one.
enum { CHECK_MS_MAX = 180 * 1000, CHECK_GPU_MS_MAX = 900 * 1000 };

struct trial {
    struct lq_cli_model *config;
    int (*enter)(void *context, struct lq_error *err);
    void *context;
    enum lq_verdict found; // by the child
};

static bool in_openvino(const struct lq_cli_model *config)
{
    return !config->options.engine || strcmp(config->options.engine, "openvino") == 0;
}

// ---- in the child

static int open_and_run(struct lq_cli_model *config, struct lq_error *err)
{
    struct lq_model *model = NULL;
    config->options.no_landmarks = true; // only in this process's copy; that network is our own
    int status = lq_cli_model_open_tried(config, &model, err);
    return status == LQ_OK ? lq_model_try(model, err) : status; // the rest ends with the process
}

// An earlier result is reused. The cache is read here, as the user who will own it.
static int try_model(void *data, struct lq_error *err)
{
    struct trial *trial = data;
    struct lq_cli_model *config = trial->config;
    int status = trial->enter ? trial->enter(trial->context, err) : LQ_OK;
    if (status != LQ_OK)
        return status;
    char how[4200], folder[4096];
    lq_ort_place(folder, sizeof folder);
    snprintf(how, sizeof how, "precision %d, tune %d, engine %s, device %d, %s",
             (int)config->options.precision, (int)config->options.tune,
             in_openvino(config) ? "openvino" : config->options.engine,
             (int)config->options.device, in_openvino(config) ? "" : folder);
    const char *cache = lq_cli_model_cache(config);
    uint64_t key = lq_verdict_key(config->path, how);
    trial->found = lq_verdict_read(cache, key);
    if (trial->found != LQ_VERDICT_NONE)
        return LQ_OK;
    status = open_and_run(config, err);
    if (status == LQ_OK) {
        trial->found = config->converted ? LQ_VERDICT_CONVERTED : LQ_VERDICT_DIRECT;
        lq_verdict_write(cache, key, trial->found);
    }
    return status;
}

// ---- in the parent

// TensorRT builds an engine for each size, which takes long. It stores them and opens the stored
// ones the next time.
static int time_of(const struct lq_cli_model *config)
{
    return lq_cli_model_on_nvidia(config) ? CHECK_GPU_MS_MAX : CHECK_MS_MAX;
}

static bool same_file(const char *a, const char *b)
{
    char whole[PATH_MAX], other[PATH_MAX];
    return realpath(a, whole) && realpath(b, other) && strcmp(whole, other) == 0;
}

static bool is_ours(const char *path)
{
    return same_file(path, lq_model_default_path()) || same_file(path, lq_model_float_path());
}

// Whether the engine compiles the file's contents in this process.
static bool compiles(const char *engine)
{
    return strcmp(engine, "openvino") == 0 || strcmp(engine, "onnxruntime") == 0;
}

static bool is_compiled_here(const struct lq_cli_model *config)
{
    const char *engine = config->options.engine;
    return engine ? compiles(engine) : !lq_ends_with(config->path, ".replay");
}

// … or whether it will as the fallback, when no server runs the model.
static bool is_fallback(const struct lq_cli_model *config)
{
    const char *spare = config->options.remote.fallback;
    return spare && compiles(spare);
}

// Fails with the trial's error; if the engine crashed, the message names the file and the engine.
static int fail_named(struct lq_cli_model *config, const struct lq_error *found,
                      struct lq_error *err)
{
    if (found->status != LQ_ERR_ENGINE)
        return lq_fail(err, found->status, "%s", found->text);
    config->ends_engine = true;
    return lq_fail(err, LQ_ERR_MODEL,
                   "cannot run model '%.150s': tried in a separate process, %s; %s cannot "
                   "take this file: export it another way, without quantisation first",
                   config->path, found->text,
                   in_openvino(config) ? "OpenVINO" : "ONNX Runtime");
}

// Tries the model with the engine that runs it while no Triton server is up. Only a crash is
// reported here.
static int try_fallback(struct trial *trial, struct lq_error *err)
{
    struct lq_error found = {0};
    struct lq_cli_model *config = trial->config, kept = *config;
    config->options.engine = config->options.remote.fallback;
    config->options.remote = (struct lq_remote_options){0};
    int status = lq_child_run(try_model, trial, sizeof *trial, CHECK_MS_MAX, &found);
    config->options = kept.options;
    return status == LQ_ERR_ENGINE ? fail_named(config, &found, err) : LQ_OK;
}

static int try_ways(struct trial *trial, struct lq_error *err)
{
    struct lq_cli_model *config = trial->config;
    struct lq_error direct = {0};
    int status = lq_child_run(try_model, trial, sizeof *trial, time_of(config), &direct);
    if (status == LQ_OK) {
        config->converted = trial->found == LQ_VERDICT_CONVERTED;
        return LQ_OK;
    }
    bool model = status == LQ_ERR_MODEL || status == LQ_ERR_ENGINE;
    // An ONNX model counts as converted if its inputs or outputs were quantised.
    config->converted = model && !lq_ends_with(config->path, ".xml");
    if (!config->converted ||
        lq_child_run(try_model, trial, sizeof *trial, time_of(config), NULL) != LQ_OK) {
        config->converted = false;
        return fail_named(config, &direct, err);
    }
    if (lq_ends_with(config->path, ".tflite"))
        lq_log_info("converted to ONNX first: %s", direct.text);
    return LQ_OK;
}

int lq_cli_model_check(struct lq_cli_model *config, int (*enter)(void *, struct lq_error *),
                       void *context, struct lq_error *err)
{
    if (config->tried || !config->path || is_ours(config->path))
        return LQ_OK;
    bool direct = is_compiled_here(config);
    if (!direct && !is_fallback(config))
        return LQ_OK;
    config->tried = true;
    // Memory for the converted model; inside the sandbox it could not be created.
    if (!config->has_memory) {
        config->memory_fd = memfd_create("converted.onnx", MFD_CLOEXEC);
        config->has_memory = config->memory_fd >= 0;
    }
    struct trial trial = {.config = config, .enter = enter, .context = context};
    return direct ? try_ways(&trial, err) : try_fallback(&trial, err);
}
