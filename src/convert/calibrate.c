#include "convert/calibrate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "convert/onnx_runner.h"

// Which exposed outputs belong to which part of the plan: an output's index, or -1.
struct watch {
    struct lq_plan *plan;
    const struct lq_onnx *onnx; // the tidy model
    int *source, *input, *made;
};

// ---- one picture's numbers

LQ_HOT static double sum_of(const float *numbers, size_t count)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lanes[k] += (double)numbers[i + k];
    for (; i < count; i++)
        sum += (double)numbers[i];
    for (size_t k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

static void add_means(struct lq_layer *layer, const struct lq_tensor *tensor)
{
    bool conv = strncmp(layer->op, "Conv", 4) == 0;
    int axis = conv ? 1 : tensor->rank - 1;
    if (axis < 0 || tensor->rank < 2)
        return;
    size_t channels = (size_t)tensor->dims[axis], inner = 1;
    size_t items = lq_tensor_count(tensor);
    for (int i = axis + 1; i < tensor->rank; i++)
        inner *= (size_t)tensor->dims[i];
    if (layer->channels == 0 && channels <= INT_MAX) {
        layer->means = calloc(channels + 1, sizeof *layer->means);
        layer->channels = layer->means ? (int)channels : 0;
    }
    if ((size_t)layer->channels != channels || channels == 0)
        return;
    const float *numbers = tensor->data;
    for (size_t i = 0; i < items; i += inner) // divided at the end
        layer->means[i / inner % channels] += inner == 1 ? (double)numbers[i]
                                                         : sum_of(numbers + i, inner);
    layer->mean_items += items / channels;
}

// A convolution multiplies each output (a transposed one, each input) by as many weights as one
// channel has.
static void set_macs(struct lq_layer *layer, const struct lq_onnx *onnx,
                     const struct lq_tensor *tensor)
{
    const Onnx__TensorProto *weight = lq_onnx_constant(onnx, layer->weight);
    bool transposed = strcmp(layer->op, "ConvTranspose") == 0;
    double channels = (double)weight->dims[transposed ? 0 : layer->axis];
    layer->macs = (double)lq_tensor_count(tensor) * (double)lq_onnx_items(weight) / channels;
}

static void see_tensor(const struct watch *watch, int index, const struct lq_tensor *tensor)
{
    struct lq_plan *plan = watch->plan;
    if (!tensor->data || tensor->type != LQ_TENSOR_F32)
        return;
    for (int i = 0; i < plan->source_count; i++)
        if (watch->source[i] == index) {
            lq_range_histogram_add(&plan->sources[i].histogram, tensor->data,
                                   lq_tensor_count(tensor));
            plan->sources[i].seen = true;
        }
    for (int i = 0; i < plan->layer_count; i++) {
        struct lq_layer *layer = &plan->layers[i];
        bool transposed = strcmp(layer->op, "ConvTranspose") == 0;
        if (watch->input[i] == index) {
            add_means(layer, tensor);
            layer->taken = (double)lq_tensor_count(tensor);
        }
        if (watch->made[i] == index)
            layer->made = (double)lq_tensor_count(tensor);
        if ((transposed ? watch->input : watch->made)[i] == index)
            set_macs(layer, watch->onnx, tensor);
    }
}

static void see_row(void *context, int index, const struct lq_tensor *tensor)
{
    see_tensor(context, index, tensor);
}

// ---- the model that exposes them

enum { THE_PICTURE = -2, NOWHERE = -1 };

static int output_number(const struct lq_onnx *shown, const char *name)
{
    for (size_t i = 0; i < shown->graph->n_output; i++)
        if (strcmp(shown->graph->output[i]->name, name) == 0)
            return (int)i;
    return strcmp(lq_onnx_picture(shown), name) == 0 ? THE_PICTURE : NOWHERE;
}

static void show_value(struct lq_onnx *shown, const char *name)
{
    if (lq_onnx_maker(shown, name) >= 0)
        lq_onnx_add_output(shown, name);
}

static void show_all(struct lq_onnx *shown, struct watch *watch)
{
    const struct lq_plan *plan = watch->plan;
    for (int i = 0; i < plan->source_count; i++) {
        show_value(shown, plan->sources[i].name);
        watch->source[i] = output_number(shown, plan->sources[i].name);
    }
    for (int i = 0; i < plan->layer_count; i++) {
        show_value(shown, plan->layers[i].input);
        show_value(shown, plan->layers[i].name);
        watch->input[i] = output_number(shown, plan->layers[i].input);
        watch->made[i] = output_number(shown, plan->layers[i].name);
    }
}

static void finish(struct lq_plan *plan)
{
    for (int i = 0; i < plan->layer_count; i++)
        for (int c = 0; c < plan->layers[i].channels; c++)
            plan->layers[i].means[c] /= (double)plan->layers[i].mean_items;
    // A value that the engine never exposed as floats cannot be rounded.
    for (int i = 0; i < plan->layer_count; i++) {
        struct lq_layer *layer = &plan->layers[i];
        for (int k = 0; k < layer->source_count; k++)
            layer->quantised &= plan->sources[layer->sources[k]].seen;
    }
}

static int run_pictures(const struct lq_onnx *shown, struct watch *watch,
                        const struct lq_pictures *pictures, const char *folder,
                        const struct lq_calibrate_progress *progress, struct lq_error *err)
{
    struct lq_onnx_runner runner;
    lq_onnx_runner_init(&runner, shown, folder);
    int status = LQ_OK;
    for (int i = 0; i < pictures->count && status == LQ_OK; i++) {
        const struct lq_tensor *input;
        status = pictures->get(pictures->context, i, &input, err);
        if (status != LQ_OK)
            break;
        see_tensor(watch, THE_PICTURE, input);
        status = lq_onnx_runner_run(&runner, input, see_row, watch, err);
        if (progress)
            progress->step(progress->context, i + 1, pictures->count);
    }
    lq_onnx_runner_release(&runner);
    return status;
}

int lq_calibrate(const struct lq_onnx *onnx, struct lq_plan *plan,
                 const struct lq_pictures *pictures, const char *folder,
                 const struct lq_calibrate_progress *progress, struct lq_error *err)
{
    size_t layers = (size_t)plan->layer_count + 1, sources = (size_t)plan->source_count + 1;
    struct watch watch = {.plan = plan, .onnx = onnx, .source = calloc(sources, sizeof(int)),
                          .input = calloc(layers, sizeof(int)),
                          .made = calloc(layers, sizeof(int))};
    struct lq_onnx shown = {0};
    int status = watch.source && watch.input && watch.made
                     ? lq_onnx_copy(&shown, onnx, err)
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory for the calibration");
    if (status == LQ_OK) {
        show_all(&shown, &watch);
        status = run_pictures(&shown, &watch, pictures, folder, progress, err);
    }
    if (status == LQ_OK)
        finish(plan);
    lq_onnx_free(&shown);
    free(watch.source);
    free(watch.input);
    free(watch.made);
    return status;
}
