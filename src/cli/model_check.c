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
    struct lq_cli_model *asked;
    int (*enter)(void *context, struct lq_error *err);
    void *context;
    enum lq_verdict found; // by the child
};

static bool in_openvino(const struct lq_cli_model *asked)
{
    return !asked->options.engine || strcmp(asked->options.engine, "openvino") == 0;
}

// ---- in the child

static int open_and_run(struct lq_cli_model *asked, struct lq_error *err)
{
    struct lq_model *model = NULL;
    asked->options.no_landmarks = true; // only in this process's copy; that network is our own
    int status = lq_cli_model_open_tried(asked, &model, err);
    return status == LQ_OK ? lq_model_try(model, err) : status; // the rest ends with the process
}

// An earlier result is reused. The cache is read here, as the user who will own it.
static int try_model(void *data, struct lq_error *err)
{
    struct trial *trial = data;
    struct lq_cli_model *asked = trial->asked;
    int status = trial->enter ? trial->enter(trial->context, err) : LQ_OK;
    if (status != LQ_OK)
        return status;
    char how[4200], folder[4096];
    lq_ort_place(folder, sizeof folder);
    snprintf(how, sizeof how, "precision %d, tune %d, engine %s, device %d, %s",
             (int)asked->options.precision, (int)asked->options.tune,
             in_openvino(asked) ? "openvino" : asked->options.engine,
             (int)asked->options.device, in_openvino(asked) ? "" : folder);
    const char *cache = lq_cli_model_cache(asked);
    uint64_t key = lq_verdict_key(asked->path, how);
    trial->found = lq_verdict_read(cache, key);
    if (trial->found != LQ_VERDICT_NONE)
        return LQ_OK;
    status = open_and_run(asked, err);
    if (status == LQ_OK) {
        trial->found = asked->converted ? LQ_VERDICT_CONVERTED : LQ_VERDICT_DIRECT;
        lq_verdict_write(cache, key, trial->found);
    }
    return status;
}

// ---- in the parent

// TensorRT builds an engine for each size, which takes long. It stores them and opens the stored
// ones the next time.
static int time_of(const struct lq_cli_model *asked)
{
    return lq_cli_model_on_nvidia(asked) ? CHECK_GPU_MS_MAX : CHECK_MS_MAX;
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

static bool is_compiled_here(const struct lq_cli_model *asked)
{
    const char *engine = asked->options.engine;
    return engine ? compiles(engine) : !lq_ends_with(asked->path, ".replay");
}

// … or whether it will as the fallback, when no server runs the model.
static bool is_fallback(const struct lq_cli_model *asked)
{
    const char *spare = asked->options.remote.fallback;
    return spare && compiles(spare);
}

// Fails with the trial's error; if the engine crashed, the message names the file and the engine.
static int fail_named(struct lq_cli_model *asked, const struct lq_error *found,
                      struct lq_error *err)
{
    if (found->status != LQ_ERR_ENGINE)
        return lq_fail(err, found->status, "%s", found->text);
    asked->ends_engine = true;
    return lq_fail(err, LQ_ERR_MODEL,
                   "cannot run model '%.150s': tried in a separate process, %s; %s cannot "
                   "take this file: export it another way, without quantisation first",
                   asked->path, found->text,
                   in_openvino(asked) ? "OpenVINO" : "ONNX Runtime");
}

// Tries the model with the engine that runs it while no Triton server is up. Only a crash is
// reported here.
static int try_fallback(struct trial *trial, struct lq_error *err)
{
    struct lq_error found = {0};
    struct lq_cli_model *asked = trial->asked, kept = *asked;
    asked->options.engine = asked->options.remote.fallback;
    asked->options.remote = (struct lq_remote_options){0};
    int status = lq_child_run(try_model, trial, sizeof *trial, CHECK_MS_MAX, &found);
    asked->options = kept.options;
    return status == LQ_ERR_ENGINE ? fail_named(asked, &found, err) : LQ_OK;
}

static int try_ways(struct trial *trial, struct lq_error *err)
{
    struct lq_cli_model *asked = trial->asked;
    struct lq_error direct = {0};
    int status = lq_child_run(try_model, trial, sizeof *trial, time_of(asked), &direct);
    if (status == LQ_OK) {
        asked->converted = trial->found == LQ_VERDICT_CONVERTED;
        return LQ_OK;
    }
    bool model = status == LQ_ERR_MODEL || status == LQ_ERR_ENGINE;
    // An ONNX model counts as converted if its inputs or outputs were quantised.
    asked->converted = model && !lq_ends_with(asked->path, ".xml");
    if (!asked->converted ||
        lq_child_run(try_model, trial, sizeof *trial, time_of(asked), NULL) != LQ_OK) {
        asked->converted = false;
        return fail_named(asked, &direct, err);
    }
    if (lq_ends_with(asked->path, ".tflite"))
        lq_log_info("converted to ONNX first: %s", direct.text);
    return LQ_OK;
}

int lq_cli_model_check(struct lq_cli_model *asked, int (*enter)(void *, struct lq_error *),
                       void *context, struct lq_error *err)
{
    if (asked->tried || !asked->path || is_ours(asked->path))
        return LQ_OK;
    bool direct = is_compiled_here(asked);
    if (!direct && !is_fallback(asked))
        return LQ_OK;
    asked->tried = true;
    // Memory for the converted model; inside the sandbox it could not be created.
    if (!asked->has_memory) {
        asked->memory_fd = memfd_create("converted.onnx", MFD_CLOEXEC);
        asked->has_memory = asked->memory_fd >= 0;
    }
    struct trial trial = {.asked = asked, .enter = enter, .context = context};
    return direct ? try_ways(&trial, err) : try_fallback(&trial, err);
}
