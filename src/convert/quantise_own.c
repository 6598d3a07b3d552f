#include "convert/quantise_own.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/noise.h"
#include "convert/quantise_scales.h"
#include "convert/quantise_weights.h"

enum { NOWHERE = -1 };

// Per layer: which outputs of the model are the float layer's and its int8 copy's, and their
// results.
struct pair {
    int want, got;
    struct lq_tensor tensor; // the float layer's, of this picture
    struct lq_noise_sums *sums;
    size_t channels;
};

// ---- the model with int8 copies

static Onnx__NodeProto *copy_node(const Onnx__NodeProto *node)
{
    size_t len = onnx__node_proto__get_packed_size(node);
    uint8_t *bytes = malloc(len + 1);
    Onnx__NodeProto *copy = NULL;
    if (bytes)
        copy = onnx__node_proto__unpack(NULL, onnx__node_proto__pack(node, bytes), bytes);
    free(bytes);
    return copy;
}

// Adds the same operator on the rounded input; its output is named `twin`.
static bool add_twin(struct lq_onnx *onnx, const struct lq_layer *layer, const char *twin,
                     float step, bool correct_bias)
{
    char rounded[LQ_QUANTISE_NAME_MAX], scale[LQ_QUANTISE_NAME_MAX];
    size_t at = (size_t)lq_onnx_maker(onnx, layer->name);
    Onnx__NodeProto *node = copy_node(onnx->graph->node[at]);
    if (!node)
        return false;
    lq_quantise_name(rounded, layer->name, "input");
    lq_quantise_name(scale, layer->name, "input#scale");
    lq_onnx_set_text(onnx, &node->output[0], twin);
    lq_onnx_set_text(onnx, &node->name, twin);
    lq_onnx_set_input(onnx, node, 0, rounded);
    lq_onnx_insert(onnx, at + 1, node);
    lq_quantise_add_scale(onnx, scale, step);
    lq_quantise_insert_pair(onnx, at + 1, layer->input, scale, rounded);
    struct lq_layer as_twin = *layer;
    char name[LQ_QUANTISE_NAME_MAX];
    snprintf(name, sizeof name, "%.399s", twin);
    as_twin.name = name;
    return !onnx->failed && lq_quantise_weights(onnx, &as_twin, correct_bias);
}

static int output_number(const struct lq_onnx *onnx, const char *name)
{
    for (size_t i = 0; i < onnx->graph->n_output; i++)
        if (strcmp(onnx->graph->output[i]->name, name) == 0)
            return (int)i;
    return NOWHERE;
}

static bool add_twins(struct lq_onnx *onnx, const struct quantise_job *job, struct pair *pairs)
{
    const struct lq_plan *plan = &job->plan;
    struct lq_scales scales;
    bool fine = lq_scales_init(&scales, plan, job->way.rule);
    lq_quantise_add_zero(onnx);
    for (int i = 0; i < plan->layer_count && fine; i++) {
        const struct lq_layer *layer = &plan->layers[i];
        char twin[LQ_QUANTISE_NAME_MAX];
        pairs[i].want = pairs[i].got = NOWHERE;
        if (!layer->quantised || lq_onnx_maker(onnx, layer->name) < 0)
            continue;
        lq_quantise_name(twin, layer->name, "twin");
        fine = add_twin(onnx, layer, twin, scales.scale[scales.group[layer->sources[0]]],
                        job->way.correct_biases);
        lq_onnx_add_output(onnx, layer->name);
        lq_onnx_add_output(onnx, twin);
        pairs[i].want = output_number(onnx, layer->name);
        pairs[i].got = output_number(onnx, twin);
    }
    lq_scales_release(&scales);
    return fine && !onnx->failed;
}

// ---- its outputs

struct comparing {
    struct pair *pairs;
    int count;
    bool failed;
};

static void compare(struct comparing *all, struct pair *pair, const struct lq_tensor *got)
{
    struct lq_channels channels = lq_channels_of(&pair->tensor);
    if (!pair->tensor.data || lq_tensor_count(got) != channels.items)
        return;
    if (!pair->sums) {
        pair->sums = calloc(channels.count + 1, sizeof *pair->sums);
        pair->channels = channels.count;
        all->failed |= !pair->sums;
    }
    if (pair->sums && pair->channels == channels.count)
        lq_noise_add(pair->sums, &channels, pair->tensor.data, got->data);
}

static void see(void *context, int picture, int index, const struct lq_tensor *tensor)
{
    (void)picture;
    struct comparing *all = context;
    bool floats = tensor->data && tensor->type == LQ_TENSOR_F32;
    for (int i = 0; i < all->count; i++) {
        struct pair *pair = &all->pairs[i];
        if (pair->want == index)
            pair->tensor = floats ? *tensor : (struct lq_tensor){0};
        if (pair->got == index && floats)
            compare(all, pair, tensor);
    }
}

int lq_quantise_own(struct quantise_job *job, int count, struct lq_error *err)
{
    struct lq_plan *plan = &job->plan;
    struct lq_onnx shown = {0};
    struct comparing all = {calloc((size_t)plan->layer_count + 1, sizeof *all.pairs),
                            plan->layer_count, false};
    int status = all.pairs ? lq_onnx_copy(&shown, &job->tidy, err) : LQ_ERR_MEMORY;
    if (status == LQ_OK && !add_twins(&shown, job, all.pairs))
        status = LQ_ERR_MEMORY;
    if (status == LQ_OK)
        status = lq_reference_run(job->reference, &shown, count, see, &all, err);
    if (status == LQ_ERR_MEMORY || all.failed)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.150s'", job->name);
    lq_onnx_free(&shown);
    for (int i = 0; all.pairs && i < plan->layer_count; i++) {
        const struct pair *pair = &all.pairs[i];
        double noise = pair->sums ? lq_noise_of(pair->sums, pair->channels) : 0;
        if (pair->sums)
            plan->layers[i].own = isfinite(noise) ? noise : INFINITY;
        free(pair->sums);
    }
    free(all.pairs);
    return status;
}
