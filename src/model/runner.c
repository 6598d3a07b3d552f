// One frame's inference: scales the picture into the input tensor, runs the network, and decodes
// its outputs to patches.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "image/resize.h"
#include "model/opened.h"
#include "model/prepare.h"

struct lq_runner {
    const struct lq_model *model;
    struct lq_request *requests[LQ_MODEL_SIZES_MAX]; // one for each variant
    struct lq_request *exclusive[LQ_MODEL_SIZES_MAX]; // … for the latency engine, else NULL
    struct lq_request *request;                      // of the prepared picture
    struct lq_resizer *resizer;
    float *pixels[LQ_MODEL_SIZES_MAX];                // f32 copy of an input of another type …
    float *outputs[LQ_TENSORS_MAX];                   // … and of such outputs
    float *grid;          // mask head
    struct lq_yolo yolo;  // detection head
    int current;          // variant of the prepared picture; -1: none
    bool mirrored;        // … which was mirrored
    struct lq_geometry geometry;
    struct lq_patch patches[LQ_NAILS_MAX];
};

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
    if (model->info.head != LQ_HEAD_MASK)
        return lq_yolo_init(&runner->yolo, &largest);
    runner->grid = malloc(grid_floats * sizeof *runner->grid);
    return runner->grid ? LQ_OK : LQ_ERR_MEMORY;
}

static size_t picture_floats(const struct lq_runner *runner, int variant)
{
    const struct lq_variant *size = &runner->model->variants[variant];
    return 3 * (size_t)size->width * (size_t)size->height;
}

// Size of an output in the largest variant.
static size_t output_floats(const struct lq_runner *runner, int output)
{
    size_t most = 1;
    for (int i = 0; i < runner->model->variant_count; i++) {
        if (!runner->requests[i])
            continue;
        const struct lq_tensors *tensors =
            runner->model->ops->request_tensors(runner->requests[i]);
        size_t count = lq_tensor_count(&tensors->outputs[output]);
        most = count > most ? count : most;
    }
    return most;
}

// Where the picture is written as f32: the engine's own memory unless its type differs.
static float *picture_memory(const struct lq_runner *runner, int variant)
{
    if (runner->pixels[variant])
        return runner->pixels[variant];
    return runner->model->ops->request_tensors(runner->request)->inputs[0].data;
}

static const float *numbers_of(const struct lq_runner *runner, int output)
{
    const struct lq_tensors *tensors = runner->model->ops->request_tensors(runner->request);
    return lq_edge_read(&tensors->outputs[output], runner->outputs[output]);
}

// Clears the rest of a batch, and allocates f32 memory for tensors of other types.
static int prepare_edges(struct lq_runner *runner, int variant)
{
    const struct lq_tensors *tensors =
        runner->model->ops->request_tensors(runner->requests[variant]);
    const struct lq_tensor *input = &tensors->inputs[0];
    memset(input->data, 0, lq_tensor_bytes(input));
    if (input->type != LQ_TENSOR_F32)
        runner->pixels[variant] = malloc(picture_floats(runner, variant) * sizeof(float));
    bool fine = input->type == LQ_TENSOR_F32 || runner->pixels[variant];
    for (int i = 0; i < tensors->output_count; i++) {
        const struct lq_tensor *output = &tensors->outputs[i];
        if (output->type == LQ_TENSOR_F32)
            continue;
        float *room = realloc(runner->outputs[i], output_floats(runner, i) * sizeof(float));
        runner->outputs[i] = room ? room : runner->outputs[i];
        fine &= room != NULL;
    }
    return fine ? LQ_OK : LQ_ERR_MEMORY;
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
        if (status == LQ_OK && model->variants[i].exclusive)
            status =
                model->ops->request_new(&runner->exclusive[i], model->variants[i].exclusive, err);
        if (status == LQ_OK && prepare_edges(runner, i) != LQ_OK)
            status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for a runner of '%.100s'",
                             model->path);
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
    for (int i = 0; i < LQ_TENSORS_MAX; i++)
        free(runner->outputs[i]);
    for (int i = 0; i < runner->model->variant_count; i++) {
        free(runner->pixels[i]);
        runner->model->ops->request_free(runner->requests[i]);
        runner->model->ops->request_free(runner->exclusive[i]);
    }
    lq_resizer_free(runner->resizer);
    lq_yolo_release(&runner->yolo);
    free(runner->grid);
    free(runner);
}

// The size whose aspect ratio is nearest to the picture's: it needs the least stretching or
// padding.
static int nearest_size(const struct lq_model *model, const struct lq_image *picture)
{
    float best = INFINITY;
    int chosen = 0;
    for (int i = 0; i < model->variant_count; i++) {
        const struct lq_variant *variant = &model->variants[i];
        const struct lq_size size = {variant->width, variant->height};
        float distance = lq_prepare_distance(&size, picture);
        if (distance < best) {
            best = distance;
            chosen = i;
        }
    }
    return chosen;
}

int lq_runner_prepare(struct lq_runner *runner, const struct lq_image *picture, bool exclusive,
                      struct lq_error *err)
{
    const struct lq_model *model = runner->model;
    runner->current = -1;
    runner->mirrored = false;
    if (picture->width < 1 || picture->height < 1)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot find nails in an empty picture");
    int index = nearest_size(model, picture);
    runner->request =
        exclusive && runner->exclusive[index] ? runner->exclusive[index] : runner->requests[index];
    const struct lq_variant *variant = &model->variants[index];
    struct lq_resize_target target = {
        .data = picture_memory(runner, index),
        .channels_first = model->input.channels_first,
        .tensor_width = variant->width,
        .tensor_height = variant->height,
    };
    lq_prepare_place(&target, &model->sidecar, model->info.letterbox, picture);
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

// Mirrors rows of `count` pixels of `lanes` floats, in place.
static void mirror_rows(float *data, size_t rows, size_t count, size_t lanes)
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
    const struct lq_variant *variant = &model->variants[runner->current];
    float *data = picture_memory(runner, runner->current);
    size_t width = (size_t)variant->width, height = (size_t)variant->height;
    bool planes = model->input.channels_first;
    mirror_rows(data, planes ? 3 * height : height, width, planes ? 1 : 3);
    runner->mirrored = true;
}

int lq_runner_infer(struct lq_runner *runner, uint64_t deadline_us, struct lq_error *err)
{
    if (runner->current < 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot run the model: no picture is prepared");
    const struct lq_model *model = runner->model;
    const struct lq_tensor *input = &model->ops->request_tensors(runner->request)->inputs[0];
    if (input->type != LQ_TENSOR_F32)
        lq_edge_write(input, lq_edge_rule(input->type, model->sidecar.input),
                      runner->pixels[runner->current], picture_floats(runner, runner->current));
    return model->ops->run(runner->request, deadline_us, err);
}

// Whether a map holds probabilities or logits is decided by its values where no sidecar declares
// it, or its declaration is impossible. The log warns once.
static enum lq_values values_of(const struct lq_model *model, const struct lq_layout *layout,
                                const float *map)
{
    enum lq_values declared = model->rules.values, values = lq_mask_values(layout, declared, map);
    // Callers may not change the model, but this flag is atomic and the model's memory is not
    // const.
    atomic_bool *logged = (atomic_bool *)&model->logged_values;
    if (values == declared || values != LQ_VALUES_LOGITS || atomic_exchange(logged, true))
        return values;
    if (declared == LQ_VALUES_PROBABILITY)
        lq_log_warn("model '%s' answers logits, for many of its values are not within 0..1; its "
                    "sidecar says \"probability\", and should say \"output\": \"logits\"",
                    model->name);
    else
        lq_log_info("model '%s' answers logits, for many of its values are not within 0..1; a "
                    "sidecar may say \"output\": \"logits\" or \"probability\"", model->name);
    return values;
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
    if (model->info.head == LQ_HEAD_MASK) {
        const float *map = numbers_of(runner, layout->map_index);
        struct lq_rules rules = model->rules;
        rules.values = values_of(model, layout, map);
        lq_mask_decode(layout, &rules, &runner->geometry, map, runner->grid, &runner->patches[0]);
        if (runner->mirrored)
            mirror_rows(runner->grid, (size_t)layout->map_height, (size_t)layout->map_width, 1);
        *count = 1;
        return LQ_OK;
    }
    bool queries = layout->rows == LQ_ROWS_QUERIES;
    const struct lq_detections detections = {
        layout, &model->rules, &runner->geometry, numbers_of(runner, layout->det_index),
        numbers_of(runner, layout->proto_index),
        queries ? numbers_of(runner, layout->labels_index) : NULL};
    *count = lq_yolo_decode(&runner->yolo, &detections, runner->patches);
    return LQ_OK;
}
