#include "convert/quantise_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/onnx_numbers.h"

enum { TYPE_FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
       TYPE_INT8 = ONNX__TENSOR_PROTO__DATA_TYPE__INT8, NAME_MAX_ = 400 };

static const char ZERO[] = "quantise#zero"; // the one zero point of all activations

struct writing {
    struct lq_onnx *onnx;
    const struct lq_plan *plan;
    const struct lq_quantise_way *way;
    int *group;   // by source: the first source of those that share its scale
    bool *active; // by source: a quantised layer takes it
    const Onnx__NodeProto **movers; // nodes that move numbers to quantised layers
    size_t mover_count;
    const char *lost; // a layer whose output is another value's by now; NULL: none
};

static void name_it(char name[NAME_MAX_], const char *value, const char *what)
{
    snprintf(name, NAME_MAX_, "%.370s#%s", value, what);
}

// ---- which sources share a scale

static int root_of(const int *group, int source)
{
    while (group[source] != source)
        source = group[source];
    return source;
}

static void join_sources(struct writing *writing)
{
    for (int i = 0; i < writing->plan->source_count; i++)
        writing->group[i] = i;
    for (int i = 0; i < writing->plan->layer_count; i++) {
        const struct lq_layer *layer = &writing->plan->layers[i];
        for (int k = 0; layer->quantised && k < layer->source_count; k++) {
            int a = root_of(writing->group, layer->sources[0]);
            int b = root_of(writing->group, layer->sources[k]);
            writing->group[a > b ? a : b] = a > b ? b : a;
            writing->active[layer->sources[k]] = true;
        }
    }
}

static float scale_of(const struct writing *writing, int root, struct lq_range_histogram *all)
{
    *all = (struct lq_range_histogram){0};
    for (int i = 0; i < writing->plan->source_count; i++)
        if (writing->active[i] && root_of(writing->group, i) == root)
            lq_range_histogram_merge(all, &writing->plan->sources[i].histogram);
    double range = lq_range_choose(all, writing->way->rule);
    double scale = range / LQ_INT8_LEVELS;
    return scale > 1e-30 ? (float)scale : 1.0f; // nothing but zeros: any scale is as good
}

// ---- activations

static const struct lq_layer *layer_of(const struct lq_plan *plan, const Onnx__NodeProto *node)
{
    for (int i = 0; i < plan->layer_count && node->n_output == 1; i++)
        if (strcmp(plan->layers[i].name, node->output[0]) == 0)
            return &plan->layers[i];
    return NULL;
}

// A node that moves numbers to a quantised layer; found while there are none but the float model's.
static bool leads(const struct writing *writing, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < writing->mover_count; i++)
        if (writing->movers[i] == node)
            return true;
    return false;
}

static bool takes(const Onnx__NodeProto *user, size_t input, const Onnx__NodeProto *maker)
{
    for (size_t i = 0; i < maker->n_output; i++)
        if (*maker->output[i] && strcmp(user->input[input], maker->output[i]) == 0)
            return true;
    return false;
}

// Whether a node is to take the rounded numbers: a quantised layer, or one that moves them to such,
// or a sum, which costs less in eight bits than a second copy in float would.
static bool wants_rounded(const struct writing *writing, const Onnx__NodeProto *node, size_t input)
{
    const struct lq_layer *layer = layer_of(writing->plan, node);
    size_t first, count;
    if (layer)
        return layer->quantised && input == 0;
    if (lq_onnx_is(node, "Add"))
        return true;
    return leads(writing, node) && lq_plan_moves(node, &first, &count) && input >= first &&
           input < first + count;
}

static void find_movers(struct writing *writing)
{
    const Onnx__GraphProto *graph = writing->onnx->graph;
    size_t first, count;
    for (size_t i = graph->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = graph->node[i];
        if (!lq_plan_moves(node, &first, &count))
            continue;
        bool found = false;
        for (size_t k = i + 1; k < graph->n_node && !found; k++)
            for (size_t in = 0; in < graph->node[k]->n_input && !found; in++)
                found = takes(graph->node[k], in, node) && !lq_onnx_is(graph->node[k], "Add") &&
                        wants_rounded(writing, graph->node[k], in);
        if (found)
            writing->movers[writing->mover_count++] = node;
    }
}

static void redirect_users(struct writing *writing, const char *value, const char *to)
{
    Onnx__GraphProto *graph = writing->onnx->graph;
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_input; k++)
            if (strcmp(graph->node[i]->input[k], value) == 0 &&
                wants_rounded(writing, graph->node[i], k))
                lq_onnx_set_text(writing->onnx, &graph->node[i]->input[k], to);
}

static void round_source(struct writing *writing, int source, const char *scale)
{
    struct lq_onnx *onnx = writing->onnx;
    const char *value = writing->plan->sources[source].name;
    char stored[NAME_MAX_], rounded[NAME_MAX_];
    name_it(stored, value, "int8");
    name_it(rounded, value, "rounded");
    redirect_users(writing, value, rounded);
    size_t at = (size_t)(lq_onnx_maker(onnx, value) + 1);
    lq_onnx_insert(onnx, at, lq_onnx_new_node(onnx, "DequantizeLinear",
                                              (const char *[]){stored, scale, ZERO}, 3, rounded));
    lq_onnx_insert(onnx, at, lq_onnx_new_node(onnx, "QuantizeLinear",
                                              (const char *[]){value, scale, ZERO}, 3, stored));
}

static bool round_sources(struct writing *writing)
{
    struct lq_range_histogram *all = malloc(sizeof *all);
    for (int root = 0; all && root < writing->plan->source_count; root++) {
        bool first = true;
        char name[NAME_MAX_];
        for (int i = 0; i < writing->plan->source_count; i++) {
            if (!writing->active[i] || root_of(writing->group, i) != root)
                continue;
            if (first) {
                float scale = scale_of(writing, root, all);
                name_it(name, writing->plan->sources[i].name, "scale");
                const struct lq_onnx_values values = {TYPE_FLOAT, NULL, 0, &scale, sizeof scale};
                lq_onnx_add_constant(writing->onnx, name, &values);
                first = false;
            }
            round_source(writing, i, name);
        }
    }
    free(all);
    return all != NULL;
}

// ---- weights

struct weights {
    float *numbers, *scales;
    int8_t *stored;
    double *shift;       // by output channel: what rounding adds to its mean
    size_t items, channels, inner; // inner: numbers behind the axis
};

static void release_weights(struct weights *weights)
{
    free(weights->numbers);
    free(weights->scales);
    free(weights->stored);
    free(weights->shift);
}

static bool read_weights(const Onnx__TensorProto *tensor, int axis, struct weights *weights)
{
    weights->items = (size_t)lq_onnx_items(tensor);
    weights->channels = (size_t)tensor->dims[axis];
    weights->inner = 1;
    for (size_t i = (size_t)axis + 1; i < tensor->n_dims; i++)
        weights->inner *= (size_t)tensor->dims[i];
    weights->numbers = lq_onnx_floats(tensor);
    weights->scales = calloc(weights->channels + 1, sizeof(float));
    weights->shift = calloc(weights->channels + 1, sizeof(double));
    weights->stored = malloc(weights->items + 1);
    return weights->numbers && weights->scales && weights->shift && weights->stored;
}

static void round_weights(struct weights *weights)
{
    size_t channels = weights->channels, inner = weights->inner;
    for (size_t i = 0; i < weights->items; i++) {
        float size = fabsf(weights->numbers[i]), *scale = &weights->scales[i / inner % channels];
        *scale = size > *scale && isfinite(size) ? size : *scale;
    }
    for (size_t c = 0; c < channels; c++)
        weights->scales[c] = weights->scales[c] > 1e-30f ? weights->scales[c] / LQ_INT8_LEVELS
                                                         : 1.0f;
    for (size_t i = 0; i < weights->items; i++) {
        float level = rintf(weights->numbers[i] / weights->scales[i / inner % channels]);
        weights->stored[i] = (int8_t)(level > LQ_INT8_LEVELS    ? LQ_INT8_LEVELS
                                      : level < -LQ_INT8_LEVELS ? -LQ_INT8_LEVELS
                                      : level <= 0 || level > 0 ? level : 0);
    }
}

// Which input channel a weight multiplies.
static size_t input_channel(const struct lq_layer *layer, const Onnx__TensorProto *tensor,
                            const struct weights *weights, size_t i)
{
    if (strcmp(layer->op, "Conv") != 0)
        return layer->axis == 1 ? i / weights->inner / weights->channels
                                : i % (size_t)tensor->dims[1];
    size_t spatial = weights->inner / (size_t)(tensor->dims[1] > 0 ? tensor->dims[1] : 1);
    size_t group = i / weights->inner / (weights->channels / (size_t)layer->groups);
    return group * (size_t)tensor->dims[1] + i / spatial % (size_t)tensor->dims[1];
}

static void sum_shift(const struct lq_layer *layer, const Onnx__TensorProto *tensor,
                      struct weights *weights)
{
    for (size_t i = 0; i < weights->items; i++) {
        size_t out = i / weights->inner % weights->channels;
        size_t in = input_channel(layer, tensor, weights, i);
        double apart = (double)((float)weights->stored[i] * weights->scales[out]) -
                       (double)weights->numbers[i];
        if (in < (size_t)layer->channels)
            weights->shift[out] += apart * layer->means[in];
    }
}

// Gemm and the convolutions have a bias; one that is shared, or is no row, is left alone.
static void correct_bias(struct writing *writing, const struct lq_layer *layer,
                         Onnx__NodeProto *node, const struct weights *weights)
{
    struct lq_onnx *onnx = writing->onnx;
    const char *now = lq_onnx_input(node, 2);
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, now);
    float *biases = tensor ? lq_onnx_floats(tensor)
                           : calloc(weights->channels + 1, sizeof *biases);
    const Onnx__AttributeProto *beta = lq_onnx_attr(node, "beta");
    bool fine = biases && strcmp(layer->op, "MatMul") != 0 && (tensor || !*now) &&
                !(beta && (beta->f < 1.0f || beta->f > 1.0f)) &&
                (!tensor || lq_onnx_items(tensor) == (int64_t)weights->channels);
    if (fine) {
        char name[NAME_MAX_];
        int64_t channels = (int64_t)weights->channels;
        name_it(name, layer->name, "bias");
        for (size_t c = 0; c < weights->channels; c++)
            biases[c] -= (float)weights->shift[c];
        const struct lq_onnx_values values = {TYPE_FLOAT, &channels, 1, biases,
                                              weights->channels * sizeof *biases};
        lq_onnx_add_constant(onnx, name, &values);
        lq_onnx_set_input(onnx, node, 2, name);
    }
    free(biases);
}

// The DequantizeLinear of a layer's weights stands before the layer.
static void store_weights(struct writing *writing, const struct lq_layer *layer,
                          const Onnx__TensorProto *tensor, const struct weights *weights)
{
    struct lq_onnx *onnx = writing->onnx;
    char stored[NAME_MAX_], scale[NAME_MAX_], rounded[NAME_MAX_];
    int64_t channels = (int64_t)weights->channels;
    name_it(stored, layer->name, "weights");
    name_it(scale, layer->name, "weights#scale");
    name_it(rounded, layer->name, "weights#rounded");
    const struct lq_onnx_values whole = {TYPE_INT8, tensor->dims, tensor->n_dims, weights->stored,
                                         weights->items};
    const struct lq_onnx_values scales = {TYPE_FLOAT, &channels, 1, weights->scales,
                                          weights->channels * sizeof(float)};
    lq_onnx_add_constant(onnx, stored, &whole);
    lq_onnx_add_constant(onnx, scale, &scales);
    Onnx__NodeProto *node = lq_onnx_new_node(onnx, "DequantizeLinear",
                                             (const char *[]){stored, scale}, 2, rounded);
    if (!node)
        return;
    lq_onnx_set_int(onnx, node, "axis", layer->axis);
    size_t at = (size_t)lq_onnx_maker(onnx, layer->name);
    lq_onnx_set_input(onnx, onnx->graph->node[at], 1, rounded);
    lq_onnx_insert(onnx, at, node);
}

static bool quantise_weights(struct writing *writing, const struct lq_layer *layer)
{
    struct lq_onnx *onnx = writing->onnx;
    const Onnx__TensorProto *tensor = lq_onnx_constant(onnx, layer->weight);
    struct weights weights = {0};
    // A file may give two values one name: the layer is then another value's by now.
    if (lq_onnx_maker(onnx, layer->name) < 0) {
        writing->lost = layer->name;
        return false;
    }
    bool fine = tensor && read_weights(tensor, layer->axis, &weights);
    if (fine) {
        round_weights(&weights);
        store_weights(writing, layer, tensor, &weights);
        if (writing->way->correct_biases && layer->means) {
            sum_shift(layer, tensor, &weights);
            correct_bias(writing, layer, onnx->graph->node[lq_onnx_maker(onnx, layer->name)],
                         &weights);
        }
    }
    release_weights(&weights);
    return fine;
}

int lq_quantise_write(struct lq_onnx *onnx, const struct lq_plan *plan,
                      const struct lq_quantise_way *way, struct lq_error *err)
{
    size_t sources = (size_t)plan->source_count + 1;
    struct writing writing = {.onnx = onnx, .plan = plan, .way = way,
                              .group = calloc(sources, sizeof(int)),
                              .active = calloc(sources, sizeof(bool)),
                              .movers = calloc(onnx->graph->n_node + 1, sizeof(void *))};
    bool fine = writing.group && writing.active && writing.movers;
    if (fine) {
        find_movers(&writing);
        join_sources(&writing);
        fine = round_sources(&writing);
    }
    lq_onnx_add_constant(onnx, ZERO, &(struct lq_onnx_values){TYPE_INT8, NULL, 0, "", 1});
    for (int i = 0; i < plan->layer_count && fine; i++)
        if (plan->layers[i].quantised)
            fine = quantise_weights(&writing, &plan->layers[i]);
    lq_onnx_prune(onnx);
    free(writing.group);
    free(writing.active);
    free(writing.movers);
    if (writing.lost)
        return lq_fail(err, LQ_ERR_MODEL, "the model has two values of one name, near '%.80s'",
                       writing.lost);
    return fine && !onnx->failed ? LQ_OK
                                 : lq_fail(err, LQ_ERR_MEMORY, "out of memory for the result");
}
