#include "model/model.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/limits.h"
#include "config.h"
#include "image/resize.h"
#include "model/head.h"
#include "model/precision.h"

// A model compiled for one input size.
struct variant {
    struct lq_engine *engine;
    struct lq_engine *lone; // LQ_TUNE_BOTH: for a frame that has all cores to itself; else NULL
    struct lq_layout layout;
    int width, height;
};

struct lq_model {
    struct lq_model_info info;
    const struct lq_engine_ops *ops;
    char *path;
    char name[LQ_MODEL_NAME_MAX];
    struct lq_sidecar sidecar;
    struct lq_rules rules;
    struct lq_input input; // as the file declares it
    int variant_count;
    struct variant variants[LQ_MODEL_SIZES_MAX];
    struct lq_engine *raced;    // of the first size, until it is taken for use; else NULL
    enum lq_tune raced_tune;
};

struct lq_runner {
    const struct lq_model *model;
    struct lq_request *requests[LQ_MODEL_SIZES_MAX]; // one for each variant
    struct lq_request *lone[LQ_MODEL_SIZES_MAX];     // … that has a lone engine, else NULL
    struct lq_request *request;                      // of the prepared picture
    struct lq_resizer *resizer;
    float *grid;          // mask head
    struct lq_yolo yolo;  // detection head
    int current;          // variant of the prepared picture; -1: none
    bool mirrored;        // … which was turned left to right
    struct lq_geometry geometry;
    struct lq_patch patches[LQ_NAILS_MAX];
};

// ---- opening

static bool ends_with(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

// Recordings are told by their name; for everything else the first engine that can run here.
static int pick_engine(struct lq_model *model, const char *name, struct lq_error *err)
{
    if (!name && ends_with(model->path, ".replay"))
        name = "replay";
    if (name) {
        model->ops = lq_engine_find(name, err);
        return model->ops ? model->ops->probe(err) : err ? err->status : LQ_ERR_ARGUMENT;
    }
    int status = LQ_ERR_UNAVAILABLE;
    struct lq_error first = {0};
    for (int i = 0; lq_engines[i]; i++) {
        if (lq_engines[i]->by_name_only)
            continue;
        model->ops = lq_engines[i];
        status = model->ops->probe(first.status ? NULL : &first);
        if (status == LQ_OK)
            return LQ_OK;
    }
    return lq_fail(err, first.status ? first.status : status, "%s", first.text);
}

static void add_size(struct lq_model *model, int width, int height)
{
    int i = model->info.size_count++;
    model->info.sizes[i].width = width;
    model->info.sizes[i].height = height;
}

static bool takes_size(const struct lq_model *model, int width, int height)
{
    const struct lq_input *input = &model->input;
    return !model->info.tensors.fixed || ((input->width == 0 || input->width == width) &&
                                          (input->height == 0 || input->height == height));
}

// The sidecar's sizes, else the file's own; a file that leaves them open gets the usual ones.
static void pick_sizes(struct lq_model *model)
{
    const struct lq_sidecar *sidecar = &model->sidecar;
    const struct lq_input *input = &model->input;
    for (int i = 0; i < sidecar->size_count; i++)
        if (takes_size(model, sidecar->sizes[i].width, sidecar->sizes[i].height))
            add_size(model, sidecar->sizes[i].width, sidecar->sizes[i].height);
    if (model->info.size_count > 0)
        return;
    if (input->width > 0 || input->height > 0) {
        add_size(model, input->width > 0 ? input->width : input->height,
                 input->height > 0 ? input->height : input->width);
    } else if (lq_looks_like_yolo(&model->info.tensors)) {
        add_size(model, 640, 640);
    } else {
        add_size(model, 384, 288);
        add_size(model, 288, 384);
        add_size(model, 320, 320);
    }
}

static void ask_for_size(const struct lq_model *model, const struct variant *variant,
                         struct lq_engine_options *options)
{
    const int64_t *declared = model->info.tensors.inputs[0].dims;
    bool first = model->input.channels_first;
    int64_t shape[4] = {1, first ? 3 : variant->height, first ? variant->height : variant->width,
                        first ? variant->width : 3};
    if (memcmp(shape, declared, sizeof shape) == 0)
        return;
    options->shape_rank = 4;
    memcpy(options->shape, shape, sizeof shape);
}

// What is asked for; left open, bf16 where the model stands it and this processor is faster at it.
static int pick_precision(struct lq_model *model, enum lq_precision asked,
                          struct lq_engine_options options, struct lq_error *err)
{
    bool has = lq_cpu_has_bf16();
    if (asked == LQ_PRECISION_BF16 && !has)
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot run in bf16: this processor has no AVX512-BF16 or AMX; use f32");
    model->info.precision = asked == LQ_PRECISION_BF16 ? LQ_PRECISION_BF16 : LQ_PRECISION_F32;
    if (asked != LQ_PRECISION_AUTO || !has || !model->sidecar.bf16_checked ||
        !model->ops->has_precisions)
        return LQ_OK;
    struct variant first = {.width = model->info.sizes[0].width,
                            .height = model->info.sizes[0].height};
    ask_for_size(model, &first, &options);
    if (options.tune == LQ_TUNE_BOTH)
        options.tune = LQ_TUNE_LATENCY;
    model->raced_tune = options.tune;
    return lq_precision_race(model->ops, model->path, &options, &model->info.precision,
                             &model->raced, err);
}

// Compiles one size, unless the race for the faster arithmetic has done so already.
static int open_engine(struct lq_model *model, int index, struct lq_engine_options options,
                       struct lq_engine **engine, struct lq_error *err)
{
    const struct variant size = {.width = model->info.sizes[index].width,
                                 .height = model->info.sizes[index].height};
    if (index == 0 && model->raced_tune == options.tune && model->raced) { // by one thread alone
        *engine = model->raced;
        model->raced = NULL;
        return LQ_OK;
    }
    ask_for_size(model, &size, &options);
    return model->ops->open(engine, model->path, &options, err);
}

// Opens one size and reads from its tensors what the outputs are.
static int open_variant(struct lq_model *model, int index, const struct lq_engine_options *options,
                        struct lq_error *err)
{
    struct variant *variant = &model->variants[index];
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

// Cameras' pictures lie or stand. A square size beside such is for single pictures: two kinds of
// engine for it would cost memory (a sixth of a server's) and serve nobody.
enum size_use { FOR_FILMS = 1, FOR_SINGLE_PICTURES = 2 };

static enum size_use use_of(const struct lq_model *model, int index)
{
    const struct lq_model_info *info = &model->info;
    bool odd_one_out = info->sizes[0].width != info->sizes[0].height &&
                       info->sizes[index].width == info->sizes[index].height;
    return odd_one_out ? FOR_SINGLE_PICTURES : FOR_FILMS;
}

// Opens the engines for frames that have all cores to themselves.
struct lone_opening {
    struct lq_model *model;
    struct lq_engine_options options;
    int status;
    struct lq_error error;
};

static void *open_lone(void *context)
{
    struct lone_opening *opening = context;
    struct lq_model *model = opening->model;
    for (int i = 0; i < model->info.size_count && opening->status == LQ_OK; i++)
        if (use_of(model, i) == FOR_FILMS)
            opening->status = open_engine(model, i, opening->options, &model->variants[i].lone,
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

// Both kinds of engine are opened at the same time, for opening one keeps one core busy.
static int open_both(struct lq_model *model, const struct lq_engine_options *options,
                     struct lq_error *err)
{
    struct lone_opening lone = {.model = model, .options = *options};
    struct lq_engine_options side_by_side = *options;
    pthread_t thread;
    lone.options.tune = LQ_TUNE_LATENCY;
    side_by_side.tune = LQ_TUNE_THROUGHPUT;
    bool started = pthread_create(&thread, NULL, open_lone, &lone) == 0;
    int status = open_sizes(model, &side_by_side, FOR_FILMS, err);
    if (started)
        pthread_join(thread, NULL);
    else
        open_lone(&lone);
    if (status == LQ_OK && lone.status != LQ_OK)
        status = lq_fail(err, lone.status, "%s", lone.error.text);
    // Not beside the others: two of one kind would write to one cache at the same time.
    return status == LQ_OK ? open_sizes(model, &lone.options, FOR_SINGLE_PICTURES, err) : status;
}

static int open_variants(struct lq_model *model, const struct lq_engine_options *options,
                         struct lq_error *err)
{
    int status = options->tune == LQ_TUNE_BOTH
                     ? open_both(model, options, err)
                     : open_sizes(model, options, FOR_FILMS | FOR_SINGLE_PICTURES, err);
    model->variant_count = status == LQ_OK ? model->info.size_count : 0;
    return status;
}

static float first_positive(float a, float b, float c)
{
    return a > 0 ? a : b > 0 ? b : c;
}

static void settle_rules(struct lq_model *model, const struct lq_model_options *options)
{
    const struct lq_sidecar *sidecar = &model->sidecar;
    bool yolo = model->info.head == LQ_HEAD_YOLO_SEG;
    struct lq_rules *rules = &model->rules;
    rules->score_min = first_positive(options->score_min, sidecar->score, 0.25f);
    rules->nms_iou = first_positive(options->nms_iou, sidecar->nms_iou, 0.45f);
    rules->threshold = first_positive(yolo ? 0 : options->score_min, sidecar->threshold, 0.5f);
    rules->values = sidecar->values;
    rules->boxes = sidecar->boxes;
    rules->nail_channel = sidecar->nail_channel >= 0 ? sidecar->nail_channel : 1;
    rules->class_mask = sidecar->class_mask ? sidecar->class_mask : UINT64_MAX;
}

static void fill_info(struct lq_model *model)
{
    struct lq_model_info *info = &model->info;
    const struct lq_sidecar *sidecar = &model->sidecar;
    const struct lq_layout *layout = &model->variants[0].layout;
    bool yolo = info->head == LQ_HEAD_YOLO_SEG;
    info->path = model->path;
    info->name = model->name;
    info->engine = model->ops->name;
    info->channels_first = model->input.channels_first;
    info->letterbox = sidecar->resize == LQ_SIDECAR_RESIZE_ANY
                          ? yolo
                          : sidecar->resize == LQ_SIDECAR_LETTERBOX;
    info->boxes_normalised = yolo && (sidecar->boxes == LQ_BOXES_BY_LOOK
                                          ? ends_with(model->path, ".tflite")
                                          : sidecar->boxes == LQ_BOXES_UNIT);
    info->sidecar = sidecar->present;
    info->classes = yolo ? layout->classes : 0;
    info->proto_channels = yolo ? layout->protos : 0;
    info->score_min = yolo ? model->rules.score_min : model->rules.threshold;
    info->nms_iou = model->rules.nms_iou;
}

// The sidecar's name, else the file's without folder and ending.
static void settle_name(struct lq_model *model)
{
    if (model->sidecar.name[0]) {
        strcpy(model->name, model->sidecar.name);
        return;
    }
    const char *slash = strrchr(model->path, '/');
    const char *base = slash ? slash + 1 : model->path;
    const char *dot = strrchr(base, '.');
    size_t len = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    snprintf(model->name, sizeof model->name, "%.*s", (int)len, base);
}

// A served model may bring its own sidecar; else it is the one beside the file.
static int read_sidecar(struct lq_model *model, const struct lq_engine_options *options,
                        struct lq_error *err)
{
    struct lq_buf json;
    int status = LQ_OK;
    lq_buf_init(&json, LQ_SIDECAR_BYTES_MAX);
    if (model->ops->sidecar)
        status = model->ops->sidecar(options, &json, err);
    if (status == LQ_OK)
        status = json.len ? lq_sidecar_parse(&model->sidecar, "of the served model", &json, err)
                          : lq_sidecar_read(&model->sidecar, model->path, err);
    lq_buf_release(&json);
    return status;
}

static int open_model(struct lq_model *model, const struct lq_model_options *options,
                      struct lq_error *err)
{
    struct lq_engine_options engine = {
        .tune = options->tune,
        .threads = options->threads,
        .cache_dir = options->cache_dir,
        .remote = options->remote,
    };
    int status = pick_engine(model, options->engine, err);
    // One thread is one thread, and what runs elsewhere or is a recording has no cores to share.
    if (status == LQ_OK && engine.tune == LQ_TUNE_BOTH &&
        (!model->ops->has_precisions || engine.threads == 1 || lq_cpu_count() == 1))
        engine.tune = LQ_TUNE_LATENCY;
    if (status == LQ_OK)
        status = read_sidecar(model, &engine, err);
    if (status == LQ_OK)
        status = model->ops->describe(model->path, &engine, &model->info.tensors, err);
    if (status == LQ_OK)
        status = lq_input_decide(&model->input, &model->info.tensors, &model->sidecar, err);
    if (status != LQ_OK)
        return status;
    engine.pixels.channels_first = model->input.channels_first;
    memcpy(engine.pixels.mean, model->sidecar.mean, sizeof engine.pixels.mean);
    memcpy(engine.pixels.std, model->sidecar.std, sizeof engine.pixels.std);
    settle_name(model);
    pick_sizes(model);
    status = pick_precision(model, options->precision, engine, err);
    if (status != LQ_OK)
        return status;
    engine.precision = model->info.precision;
    status = open_variants(model, &engine, err);
    if (status != LQ_OK)
        return status;
    settle_rules(model, options);
    fill_info(model);
    return LQ_OK;
}

const char *lq_model_default_path(void)
{
    return access(LQ_MODEL_INSTALLED, R_OK) == 0 ? LQ_MODEL_INSTALLED : LQ_MODEL_SOURCE;
}

const char *lq_model_float_path(void)
{
    return access(LQ_FLOAT_MODEL_INSTALLED, R_OK) == 0 ? LQ_FLOAT_MODEL_INSTALLED
                                                       : LQ_FLOAT_MODEL_SOURCE;
}

int lq_model_open(struct lq_model **out, const char *path, const struct lq_model_options *options,
                  struct lq_error *err)
{
    *out = NULL;
    struct lq_model *model = calloc(1, sizeof *model);
    if (model)
        model->path = strdup(path);
    int status = model && model->path
                     ? open_model(model, options, err)
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", path);
    if (status != LQ_OK) {
        lq_model_close(model);
        return status;
    }
    *out = model;
    return LQ_OK;
}

void lq_model_close(struct lq_model *model)
{
    if (!model)
        return;
    for (int i = 0; i < model->info.size_count; i++) { // some may be open and others not
        model->ops->close(model->variants[i].engine);
        model->ops->close(model->variants[i].lone);
    }
    if (model->raced)
        model->ops->close(model->raced);
    free(model->path);
    free(model);
}

const struct lq_model_info *lq_model_info(const struct lq_model *model)
{
    return &model->info;
}

int lq_model_print_metrics(const struct lq_model *model, struct lq_buf *out)
{
    return model->ops->print_metrics ? model->ops->print_metrics(out) : LQ_OK;
}

// ---- running

static int make_scratch(struct lq_runner *runner)
{
    const struct lq_model *model = runner->model;
    struct lq_layout largest = model->variants[0].layout;
    size_t grid_floats = 0;
    for (int i = 0; i < model->variant_count; i++) {
        const struct lq_layout *layout = &model->variants[i].layout;
        size_t map = (size_t)layout->map_width * (size_t)layout->map_height;
        size_t plane = (size_t)layout->proto_width * (size_t)layout->proto_height;
        grid_floats = map > grid_floats ? map : grid_floats;
        largest.anchors = layout->anchors > largest.anchors ? layout->anchors : largest.anchors;
        if (plane > (size_t)largest.proto_width * (size_t)largest.proto_height) {
            largest.proto_width = layout->proto_width;
            largest.proto_height = layout->proto_height;
        }
    }
    if (model->info.head == LQ_HEAD_YOLO_SEG)
        return lq_yolo_init(&runner->yolo, &largest);
    runner->grid = malloc(grid_floats * sizeof *runner->grid);
    return runner->grid ? LQ_OK : LQ_ERR_MEMORY;
}

int lq_runner_new(struct lq_runner **out, const struct lq_model *model, struct lq_error *err)
{
    *out = NULL;
    int status = LQ_ERR_MEMORY;
    struct lq_runner *runner = calloc(1, sizeof *runner);
    if (runner) {
        runner->model = model;
        runner->current = -1;
        status = lq_resizer_new(&runner->resizer);
    }
    if (status == LQ_OK)
        status = make_scratch(runner);
    if (status != LQ_OK) {
        lq_fail(err, status, "out of memory for a runner of '%.100s'", model->path);
        goto fail;
    }
    for (int i = 0; i < model->variant_count; i++) {
        status = model->ops->request_new(&runner->requests[i], model->variants[i].engine, err);
        if (status == LQ_OK && model->variants[i].lone)
            status = model->ops->request_new(&runner->lone[i], model->variants[i].lone, err);
        if (status != LQ_OK)
            goto fail;
    }
    *out = runner;
    return LQ_OK;
fail:
    lq_runner_free(runner);
    return status;
}

void lq_runner_free(struct lq_runner *runner)
{
    if (!runner)
        return;
    for (int i = 0; i < runner->model->variant_count; i++) {
        runner->model->ops->request_free(runner->requests[i]);
        runner->model->ops->request_free(runner->lone[i]);
    }
    lq_resizer_free(runner->resizer);
    lq_yolo_release(&runner->yolo);
    free(runner->grid);
    free(runner);
}

// The size whose proportions are nearest the picture's: least stretched, or least padding.
static int nearest_size(const struct lq_model *model, const struct lq_image *picture)
{
    float wanted = logf((float)picture->width / (float)picture->height), best = INFINITY;
    int chosen = 0;
    for (int i = 0; i < model->variant_count; i++) {
        const struct variant *variant = &model->variants[i];
        float distance = fabsf(logf((float)variant->width / (float)variant->height) - wanted);
        if (distance < best) {
            best = distance;
            chosen = i;
        }
    }
    return chosen;
}

// Where the picture goes: all over the tensor, or in its middle with its proportions kept.
static void place(const struct lq_model *model, const struct variant *variant,
                  const struct lq_image *picture, struct lq_resize_target *target)
{
    target->tensor_width = target->width = variant->width;
    target->tensor_height = target->height = variant->height;
    if (!model->info.letterbox)
        return;
    float ratio_x = (float)variant->width / (float)picture->width;
    float ratio_y = (float)variant->height / (float)picture->height;
    float ratio = ratio_x < ratio_y ? ratio_x : ratio_y;
    int width = (int)lroundf((float)picture->width * ratio);
    int height = (int)lroundf((float)picture->height * ratio);
    target->width = width > 0 ? width : 1;
    target->height = height > 0 ? height : 1;
    // An odd pixel goes to the right and below, as it does in the trainers' letterbox.
    target->x = (variant->width - target->width) / 2;
    target->y = (variant->height - target->height) / 2;
}

int lq_runner_prepare(struct lq_runner *runner, const struct lq_image *picture, bool alone,
                      struct lq_error *err)
{
    const struct lq_model *model = runner->model;
    const struct lq_sidecar *sidecar = &model->sidecar;
    runner->current = -1;
    runner->mirrored = false;
    if (picture->width < 1 || picture->height < 1)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot find nails in an empty picture");
    int index = nearest_size(model, picture);
    runner->request = alone && runner->lone[index] ? runner->lone[index] : runner->requests[index];
    const struct lq_tensors *tensors = model->ops->request_tensors(runner->request);
    struct lq_resize_target target = {
        .data = tensors->inputs[0].data,
        .channels_first = model->input.channels_first,
        // The grey that YOLO models see around pictures in training.
        .pad = sidecar->pad >= 0 ? sidecar->pad : 114.0f / 255.0f,
    };
    for (int c = 0; c < 3; c++) {
        target.scale[c] = 1.0f / sidecar->std[c];
        target.bias[c] = -sidecar->mean[c] / sidecar->std[c];
    }
    place(model, &model->variants[index], picture, &target);
    int status = lq_resizer_run(runner->resizer, picture, &target, err);
    if (status != LQ_OK)
        return status;
    runner->geometry = (struct lq_geometry){
        .tensor_width = target.tensor_width,
        .tensor_height = target.tensor_height,
        .offset_x = (float)target.x,
        .offset_y = (float)target.y,
        .scale_x = (float)target.width / (float)picture->width,
        .scale_y = (float)target.height / (float)picture->height,
        .picture_width = picture->width,
        .picture_height = picture->height,
    };
    runner->current = index;
    return LQ_OK;
}

// Rows of `count` pixels of `lanes` floats, in place.
static void turn_rows(float *data, size_t rows, size_t count, size_t lanes)
{
    for (size_t y = 0; y < rows; y++, data += count * lanes)
        for (size_t x = 0; x < count / 2; x++)
            for (size_t c = 0; c < lanes; c++) {
                float *left = &data[x * lanes + c], *right = &data[(count - 1 - x) * lanes + c];
                float held = *left;
                *left = *right;
                *right = held;
            }
}

void lq_runner_mirror(struct lq_runner *runner)
{
    const struct lq_model *model = runner->model;
    const struct variant *variant = &model->variants[runner->current];
    float *data = model->ops->request_tensors(runner->request)->inputs[0].data;
    size_t width = (size_t)variant->width, height = (size_t)variant->height;
    bool planes = model->input.channels_first;
    turn_rows(data, planes ? 3 * height : height, width, planes ? 1 : 3);
    runner->mirrored = true;
}

int lq_runner_infer(struct lq_runner *runner, uint64_t deadline_us, struct lq_error *err)
{
    if (runner->current < 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot run the model: no picture is prepared");
    return runner->model->ops->run(runner->request, deadline_us, err);
}

int lq_runner_patches(struct lq_runner *runner, const struct lq_patch **patches, int *count,
                      struct lq_error *err)
{
    *patches = runner->patches;
    *count = 0;
    if (runner->current < 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot read nails: no picture is prepared");
    const struct lq_model *model = runner->model;
    const struct lq_layout *layout = &model->variants[runner->current].layout;
    const struct lq_tensor *outputs = model->ops->request_tensors(runner->request)->outputs;
    if (model->info.head == LQ_HEAD_MASK) {
        lq_mask_decode(layout, &model->rules, &runner->geometry, outputs[layout->map_index].data,
                       runner->grid, &runner->patches[0]);
        if (runner->mirrored)
            turn_rows(runner->grid, (size_t)layout->map_height, (size_t)layout->map_width, 1);
        *count = 1;
    } else {
        *count = lq_yolo_decode(&runner->yolo, layout, &model->rules, &runner->geometry,
                                outputs[layout->det_index].data, outputs[layout->proto_index].data,
                                runner->patches);
    }
    return LQ_OK;
}
