#include "model/opened.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "model/precision.h"
#include "model/prepare.h"

// Selects the replay engine for a recording, by its file name; otherwise the first engine that can
// run here.
static int pick_engine(struct lq_model *model, const char *name, struct lq_error *err)
{
    if (!name && lq_ends_with(model->path, ".replay"))
        name = "replay";
    if (name) {
        model->ops = lq_engine_find(name, err);
        return model->ops ? model->ops->probe(NULL, err) : err ? err->status : LQ_ERR_ARGUMENT;
    }
    int status = LQ_ERR_UNAVAILABLE;
    struct lq_error first = {0};
    for (int i = 0; lq_engines[i]; i++) {
        if (lq_engines[i]->by_name_only)
            continue;
        model->ops = lq_engines[i];
        status = model->ops->probe(NULL, first.status ? NULL : &first);
        if (status == LQ_OK)
            return LQ_OK;
    }
    return lq_fail(err, first.status ? first.status : status, "%s", first.text);
}

static void set_size(const struct lq_model *model, const struct lq_variant *variant,
                     struct lq_engine_options *options)
{
    const int64_t *declared = model->info.tensors.inputs[0].dims;
    bool first = model->input.channels_first;
    int64_t height = variant->height, width = variant->width;
    int64_t shape[4] = {model->info.batch, first ? 3 : height, first ? height : width,
                        first ? width : 3};
    if (memcmp(shape, declared, sizeof shape) == 0)
        return;
    options->shape_rank = 4;
    memcpy(options->shape, shape, sizeof shape);
}

// Picks the requested precision or, with AUTO, bf16 if the model tolerates it and this processor
// runs it faster.
static int pick_precision(struct lq_model *model, enum lq_precision requested,
                          struct lq_engine_options options, struct lq_error *err)
{
    bool has = lq_cpu_has_bf16();
    if (requested == LQ_PRECISION_BF16 && !has)
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot run in bf16: this processor has no AVX512-BF16 or AMX; use f32");
    if (requested == LQ_PRECISION_F16 && !lq_cpu_has_f16())
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot run in f16: this processor has neither AVX512-FP16 nor "
                       "ARMv8.2-FP16; use f32");
    model->info.precision = requested == LQ_PRECISION_AUTO ? LQ_PRECISION_F32 : requested;
    if (requested != LQ_PRECISION_AUTO || !has || !model->sidecar.bf16_checked ||
        !model->ops->has_precisions)
        return LQ_OK;
    struct lq_variant first = {.width = model->info.sizes[0].width,
                            .height = model->info.sizes[0].height};
    set_size(model, &first, &options);
    if (options.tune == LQ_TUNE_BOTH)
        options.tune = LQ_TUNE_LATENCY;
    model->raced_tune = options.tune;
    return lq_precision_race(model->ops, model->read, &options, &model->info.precision,
                             &model->raced, err);
}

// Compiles one size, unless this was already done when both precisions were timed.
static int open_engine(struct lq_model *model, int index, struct lq_engine_options options,
                       struct lq_engine **engine, struct lq_error *err)
{
    const struct lq_variant size = {.width = model->info.sizes[index].width,
                                 .height = model->info.sizes[index].height};
    if (index == 0 && model->raced_tune == options.tune && model->raced) { // by one thread alone
        *engine = model->raced;
        model->raced = NULL;
        return LQ_OK;
    }
    set_size(model, &size, &options);
    return model->ops->compile(engine, model->read, &options, err);
}

// Opens one size and reads from its tensors what the outputs are.
static int open_variant(struct lq_model *model, int index, const struct lq_engine_options *options,
                        struct lq_error *err)
{
    struct lq_variant *variant = &model->variants[index];
    variant->width = model->info.sizes[index].width;
    variant->height = model->info.sizes[index].height;
    int status = open_engine(model, index, *options, &variant->engine, err);
    if (status != LQ_OK)
        return status;
    struct lq_request *request = NULL;
    status = model->ops->request_new(&request, variant->engine, err);
    if (status != LQ_OK)
        return status;
    const struct lq_tensors *tensors = model->ops->request_tensors(request);
    struct lq_input input;
    status = lq_input_decide(&input, tensors, &model->sidecar, err);
    if (status == LQ_OK)
        status = lq_head_decide(&model->info.head, &variant->layout, tensors, &input,
                                &model->sidecar, err);
    model->ops->request_free(request);
    return status;
}

// Video frames are landscape or portrait. A square size, if there is one, is only for single
// pictures: a second kind of engine for it would take memory (a sixth of a server's) for nothing.
enum size_use { FOR_VIDEO = 1, FOR_STILLS = 2 };

static enum size_use use_of(const struct lq_model *model, int index)
{
    const struct lq_model_info *info = &model->info;
    bool odd_one_out = info->sizes[0].width != info->sizes[0].height &&
                       info->sizes[index].width == info->sizes[index].height;
    return odd_one_out ? FOR_STILLS : FOR_VIDEO;
}

// Opens the engines for frames that use all cores exclusively.
struct exclusive_opening {
    struct lq_model *model;
    struct lq_engine_options options;
    int status;
    struct lq_error error;
};

static void *open_exclusive(void *context)
{
    struct exclusive_opening *opening = context;
    struct lq_model *model = opening->model;
    for (int i = 0; i < model->info.size_count && opening->status == LQ_OK; i++)
        if (use_of(model, i) == FOR_VIDEO)
            opening->status = open_engine(model, i, opening->options, &model->variants[i].exclusive,
                                          &opening->error);
    return NULL;
}

// uses: enum size_use, or several.
static int open_sizes(struct lq_model *model, const struct lq_engine_options *options, int uses,
                      struct lq_error *err)
{
    int status = LQ_OK;
    for (int i = 0; i < model->info.size_count && status == LQ_OK; i++)
        if (use_of(model, i) & uses)
            status = open_variant(model, i, options, err);
    return status;
}

// Opens both kinds of engine in parallel, because opening one uses only one core.
static int open_both(struct lq_model *model, const struct lq_engine_options *options,
                     struct lq_error *err)
{
    struct exclusive_opening exclusive = {.model = model, .options = *options};
    struct lq_engine_options side_by_side = *options;
    pthread_t thread;
    exclusive.options.tune = LQ_TUNE_LATENCY;
    side_by_side.tune = LQ_TUNE_THROUGHPUT;
    bool started = pthread_create(&thread, NULL, open_exclusive, &exclusive) == 0;
    int status = open_sizes(model, &side_by_side, FOR_VIDEO, err);
    if (started)
        pthread_join(thread, NULL);
    else
        open_exclusive(&exclusive);
    if (status == LQ_OK && exclusive.status != LQ_OK)
        status = lq_fail(err, exclusive.status, "%s", exclusive.error.text);
    // Not in parallel with the others: two engines of one kind would write to the same cache.
    return status == LQ_OK ? open_sizes(model, &exclusive.options, FOR_STILLS, err)
                           : status;
}

static int open_variants(struct lq_model *model, const struct lq_engine_options *options,
                         struct lq_error *err)
{
    int status = options->tune == LQ_TUNE_BOTH
                     ? open_both(model, options, err)
                     : open_sizes(model, options, FOR_VIDEO | FOR_STILLS, err);
    model->variant_count = status == LQ_OK ? model->info.size_count : 0;
    return status;
}

// The sidecar's name, else the file name without folder and ending, or the name on the server.
static void settle_name(struct lq_model *model, bool no_file)
{
    if (model->sidecar.name[0]) {
        strcpy(model->name, model->sidecar.name);
        return;
    }
    const char *slash = strrchr(model->source, '/');
    const char *base = slash ? slash + 1 : model->source;
    const char *dot = no_file ? NULL : strrchr(base, '.');
    size_t len = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    snprintf(model->name, sizeof model->name, "%.*s", (int)len, base);
}

// A served model may have its own sidecar on the server; otherwise use the one beside the file. A
// sidecar of another model must not be applied to this one.
static int read_sidecar(struct lq_model *model, bool no_file, struct lq_error *err)
{
    const struct lq_buf *served = &model->read->sidecar;
    if (served->len)
        return lq_sidecar_parse(&model->sidecar, "of the served model", served, err);
    if (!no_file)
        return lq_sidecar_read(&model->sidecar, model->source, err);
    lq_sidecar_none(&model->sidecar);
    return LQ_OK;
}

// Reads the file, or the servers' description of the model, and the sidecar.
static int read_model(struct lq_model *model, const struct lq_remote_options *remote,
                      struct lq_error *err)
{
    const struct lq_engine_source source = {model->path, model->source, *remote};
    int status = model->ops->read(&model->read, &source, err);
    if (status == LQ_OK)
        status = read_sidecar(model, remote->no_file, err);
    if (status != LQ_OK)
        return status;
    model->info.tensors = model->read->tensors;
    settle_name(model, remote->no_file);
    return lq_input_decide(&model->input, &model->info.tensors, &model->sidecar, err);
}

// Opens the hand landmark network. If that fails, nails are detected and painted without it. It
// runs in bf16 if the model does, because bf16 was then requested, or was found to be faster here.
static void open_landmarks(struct lq_model *model, const struct lq_engine_options *options)
{
    struct lq_error error;
    if (lq_landmarks_open(&model->landmarks, lq_landmarks_default_path(), options, &error) != LQ_OK)
        lq_log_warn("%s; the direction of nails is estimated without their hand", error.text);
}

// Compiles all sizes in the requested precision, or in the one found to be faster.
static int compile_all(struct lq_model *model, enum lq_precision requested,
                       struct lq_engine_options *engine, struct lq_error *err)
{
    int status = pick_precision(model, requested, *engine, err);
    if (status != LQ_OK)
        return status;
    engine->precision = model->info.precision;
    status = open_variants(model, engine, err);
    if (status == LQ_ERR_UNAVAILABLE && engine->precision > LQ_PRECISION_F32) {
        lq_log_warn("%s; computing in f32 instead", err->text);
        lq_model_close_variants(model);
        engine->precision = model->info.precision = LQ_PRECISION_F32;
        status = open_variants(model, engine, err);
    }
    return status;
}

// Most files with a fixed batch size also accept a batch of one. If not, a picture is run together
// with empty ones.
static int compile_batch(struct lq_model *model, enum lq_precision requested,
                         struct lq_engine_options *engine, struct lq_error *err)
{
    int declared = model->input.batch;
    struct lq_error first = {0};
    model->info.batch = model->info.tensors.fixed ? declared : 1;
    int status = compile_all(model, requested, engine, declared > 1 ? &first : err);
    if (status == LQ_OK || declared == 1)
        return status;
    if (model->info.batch == declared)
        return lq_fail(err, status, "%s", first.text);
    lq_model_close_variants(model);
    if (model->raced)
        model->ops->close(model->raced);
    model->raced = NULL;
    model->info.batch = declared;
    status = compile_all(model, requested, engine, err);
    if (status == LQ_OK)
        lq_log_warn("'%.100s' only takes batches of %d pictures: each frame costs as much as "
                    "%d; export it with batch=1", model->source, declared, declared);
    return status;
}

// OpenVINO returns the integers of a .tflite's quantised outputs without scale and zero point.
static int refuse_hidden_scales(const struct lq_model *model, struct lq_error *err)
{
    const struct lq_tensors *tensors = &model->info.tensors;
    bool whole = tensors->inputs[0].type != LQ_TENSOR_F32;
    for (int i = 0; i < tensors->output_count; i++)
        whole |= tensors->outputs[i].type != LQ_TENSOR_F32;
    if (!whole || !lq_ends_with(model->path, ".tflite"))
        return LQ_OK;
    return lq_fail(err, LQ_ERR_MODEL,
                   "'%.150s' has inputs or outputs that are quantised: `lacquer convert` makes an "
                   "ONNX model of it that declares their scales", model->source);
}

// Networks trained on COCO, as they are downloaded, detect no nails.
static void log_classes(const struct lq_model *model)
{
    int classes = model->info.classes;
    bool coco = classes == 80 || (model->info.head == LQ_HEAD_DETR_SEG && classes == 91);
    if (coco && !model->sidecar.class_mask)
        lq_log_warn("'%.100s' has %d classes, as networks trained on COCO have, and none of those "
                    "is a nail: train it on nails, or name the class that is in its sidecar's "
                    "\"classes\"", model->source, classes);
}

static int open_model(struct lq_model *model, const struct lq_model_options *options,
                      struct lq_error *err)
{
    struct lq_engine_options engine = {
        .tune = options->tune,
        .threads = options->threads,
        .device = options->device,
        .batch_max = options->batch_max,
        .batch_wait_us = options->batch_wait_us,
        .cache_dir = options->cache_dir,
    };
    int status = pick_engine(model, options->engine, err);
    // With one thread both kinds of engine would be the same; remote engines and recordings do not
    // share this machine's cores.
    if (status == LQ_OK && engine.tune == LQ_TUNE_BOTH &&
        (!model->ops->has_precisions || engine.threads == 1 || lq_cpu_count() == 1))
        engine.tune = LQ_TUNE_LATENCY;
    if (status == LQ_OK)
        status = read_model(model, &options->remote, err);
    if (status == LQ_OK)
        status = refuse_hidden_scales(model, err);
    if (status != LQ_OK)
        return status;
    lq_prepare_normalise(&model->sidecar, &model->info.tensors);
    engine.pixels.channels_first = model->input.channels_first;
    memcpy(engine.pixels.mean, model->sidecar.mean, sizeof engine.pixels.mean);
    memcpy(engine.pixels.std, model->sidecar.std, sizeof engine.pixels.std);
    model->info.size_count = lq_prepare_sizes(model->info.sizes, &model->sidecar, &model->input,
                                              &model->info.tensors);
    status = compile_batch(model, options->precision, &engine, err);
    lq_model_forget(model);
    if (status != LQ_OK)
        return status;
    lq_model_settle(model, options);
    if (!options->no_landmarks && !model->ops->by_name_only)
        open_landmarks(model, &engine);
    log_classes(model);
    return LQ_OK;
}

int lq_model_open(struct lq_model **out, const char *path, const struct lq_model_options *options,
                  struct lq_error *err)
{
    *out = NULL;
    struct lq_model *model = calloc(1, sizeof *model);
    if (model) {
        model->path = strdup(path);
        model->source = strdup(options->source ? options->source : path);
    }
    int status = model && model->path && model->source
                     ? open_model(model, options, err)
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", path);
    if (status != LQ_OK) {
        lq_model_close(model);
        return status;
    }
    *out = model;
    return LQ_OK;
}

int lq_model_print_metrics(const struct lq_model *model, struct lq_buf *out)
{
    return model->ops->print_metrics ? model->ops->print_metrics(out) : LQ_OK;
}
